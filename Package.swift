// swift-tools-version: 6.3
import PackageDescription

// The host is built as one target a stage, so that the compiler enforces the one-way order of the data
// (docs/architecture.md). A stage is a line, an adapter is a line, a test suite is a line.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

/// A stage of the host: `Sources/Host/<name>`.
func stage(_ name: String, _ dependencies: [String]) -> Target {
    .target(
        name: name, dependencies: dependencies.map { .init(stringLiteral: $0) },
        path: "Sources/Host/\(name)", swiftSettings: strict)
}

/// A C library of the system, found by pkg-config.
func system(_ name: String, _ pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// An adapter of the release: its logic in `Plugins/<name>/Adapter`, the one exported function in
/// `Plugins/<name>/Entry`, so that tests can link the logic of several adapters into one binary.
func adapter(_ name: String) -> [Target] {
    [
        .target(
            name: "\(name)Adapter",
            dependencies: ["AdapterKit"] + libraries[name, default: []].map { .init(stringLiteral: $0) },
            path: "Plugins/\(name)/Adapter", swiftSettings: strict),
        .target(
            name: "\(name)Entry", dependencies: ["AdapterABI", "AdapterKit", .init(stringLiteral: "\(name)Adapter")],
            path: "Plugins/\(name)/Entry", swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags(["-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/adapter.map"])
            ]),
    ]
}

func adapterLibrary(_ name: String) -> Product {
    .library(name: "smartmeter-\(name.lowercased())", type: .dynamic, targets: ["\(name)Entry"])
}

/// The tests of a target: `Tests/<name>Tests`.
func tests(_ name: String, _ dependencies: [String], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies.map { .init(stringLiteral: $0) },
        path: "Tests/\(name)Tests", exclude: exclude, swiftSettings: strict)
}

let adapters = ["Mock", "HomeAssistant", "IoTaWatt", "Shelly", "Emporia", "Sense", "HTTPJSON"]
/// Libraries of the system that an adapter needs beside the C library.
let libraries = ["Shelly": ["CMosquitto"], "Emporia": ["CCrypto"], "Sense": ["CCrypto"]]

let package = Package(
    name: "smart-meter",
    products: [.executable(name: "smart-meter", targets: ["smart-meter"])] + adapters.map(adapterLibrary),
    dependencies: [],
    targets: [
        .target(name: "AdapterABI", cSettings: strictC),
        .target(name: "AdapterKit", dependencies: ["AdapterABI"], swiftSettings: strict),

        system("CCurl", "libcurl", apt: "libcurl4-openssl-dev"),
        system("CCrypto", "libcrypto", apt: "libssl-dev"),
        system("CSQLite", "sqlite3", apt: "libsqlite3-dev"),
        system("CMicrohttpd", "libmicrohttpd", apt: "libmicrohttpd-dev"),
        system("CMosquitto", "libmosquitto", apt: "libmosquitto-dev"),
        .target(name: "CLinux", cSettings: strictC),
        .target(name: "WebPages", cSettings: [.unsafeFlags(["-std=c23", "-Wall", "-Wextra", "-Werror"])]),
        .target(
            name: "AuthorKit", exclude: ["templates"],
            cSettings: [.unsafeFlags(["-std=c23", "-Wall", "-Wextra", "-Werror"])]),

        stage("Platform", ["CLinux", "CCrypto"]),
        stage("Readings", []),
        stage("Observability", ["Platform", "Readings"]),
        stage("Configuration", ["Readings"]),
        stage("Transfer", ["CCurl", "Platform"]),
        stage("Analysis", ["Readings"]),
        stage("Storage", ["CSQLite", "CLinux", "Platform", "Readings", "Analysis"]),
        stage("Adapters", ["AdapterABI", "Platform", "Readings", "Configuration", "Observability", "Transfer"]),
        stage("Pipeline", ["Platform", "Readings", "Analysis", "Storage", "Observability"]),
        stage("Delivery", ["Platform", "Readings", "Analysis", "Storage", "Transfer", "Observability"]),
        stage("API", ["CMicrohttpd", "WebPages", "Platform", "Readings", "Observability"]),
        .executableTarget(
            name: "smart-meter",
            dependencies: [
                "Platform", "Readings", "Observability", "Configuration", "Transfer", "Analysis", "Storage",
                "Adapters", "Pipeline", "Delivery", "API", "AuthorKit",
            ],
            path: "Sources/Host/Command", swiftSettings: strict),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "AdapterABI", "Platform", "Readings", "Observability", "Configuration", "Analysis", "Storage",
                "Adapters", "Pipeline", "Delivery", "FakeHost", "TestSupport",
            ],
            path: "Benchmarks", exclude: ["Adapters"], swiftSettings: strict),
        .target(name: "TestSupport", path: "Tests/Support", exclude: ["Scripts"], swiftSettings: strict),
        .target(
            name: "FakeHost", dependencies: ["AdapterABI", "Adapters", "Platform", "Transfer"], path: "Tests/FakeHost",
            swiftSettings: strict),
        tests("Readings", ["Readings", "TestSupport"]),
        tests("Analysis", ["Analysis", "Readings", "TestSupport"]),
        tests("Storage", ["Storage", "Analysis", "Readings", "TestSupport"]),
        tests("Pipeline", ["Pipeline", "Analysis", "Observability", "Readings", "Storage", "Platform", "TestSupport"]),
        tests("API", ["API", "Platform", "Readings", "TestSupport"]),
        tests("Configuration", ["Configuration", "Readings"]),
        tests("Observability", ["Observability", "Platform", "Readings", "TestSupport"]),
        tests("Transfer", ["Transfer", "Platform", "TestSupport"]),
        tests(
            "Delivery",
            [
                "Delivery", "Transfer", "Storage", "Analysis", "Readings", "Platform", "Observability", "TestSupport",
            ]),
        tests("Support", ["TestSupport"]),
        tests("EndToEnd", ["TestSupport"], exclude: ["Fixtures"]),
        tests("ABI", ["AdapterABI", "FakeHost", "TestSupport"]),
        tests("AdapterKit", ["AdapterABI", "AdapterKit", "FakeHost"]),
        tests(
            "Adapters",
            ["Adapters", "AdapterABI", "Configuration", "Observability", "Platform", "Readings", "TestSupport"]),
        tests("HomeAssistant", ["AdapterABI", "AdapterKit", "HomeAssistantAdapter", "FakeHost", "TestSupport"]),
        tests(
            "IoTaWatt",
            ["AdapterABI", "AdapterKit", "IoTaWattAdapter", "FakeHost", "TestSupport"], exclude: ["Fixtures"]),
        tests(
            "Emporia", ["AdapterABI", "AdapterKit", "EmporiaAdapter", "FakeHost", "TestSupport"],
            exclude: ["Fixtures"]),
        tests("Mock", ["FakeHost", "TestSupport"]),
        tests(
            "Shelly", ["AdapterABI", "AdapterKit", "ShellyAdapter", "Analysis", "Readings", "FakeHost", "TestSupport"]),
        tests("Sense", ["AdapterABI", "AdapterKit", "SenseAdapter", "FakeHost", "TestSupport"], exclude: ["Fixtures"]),
        tests("AuthorKit", ["TestSupport"]),
        tests("HTTPJSON", ["AdapterABI", "FakeHost", "TestSupport"]),
    ] + adapters.flatMap(adapter)
)
