// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "my_meter",
    products: [
        .library(name: "smartmeter-my_meter", type: .dynamic, targets: ["Entry"])
    ],
    targets: [
        // Your adapter.
        .target(name: "Adapter", dependencies: ["AdapterKit"], swiftSettings: strict),
        .testTarget(name: "AdapterTests", dependencies: ["Adapter", "AdapterKit", "FakeHost"], swiftSettings: strict),

        // The shared library: with Swift's runtime inside, so that it never meets the host's or another adapter's, and
        // with one exported symbol.
        .target(
            name: "Entry", dependencies: ["AdapterABI", "AdapterKit", "Adapter"], swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib", "-Xlinker", "--version-script=\(Context.packageDirectory)/adapter.map",
                    "-Xlinker", "--gc-sections",
                ])
            ]),

        // Copies of smart-meter's own, of the version that made this project; replace them together.
        .target(name: "AdapterABI"),
        .target(name: "AdapterKit", dependencies: ["AdapterABI"], swiftSettings: strict),
        .target(name: "FakeHost", dependencies: ["AdapterABI"], path: "Tests/FakeHost", swiftSettings: strict),
    ]
)
