import Foundation
import Synchronization

/// The wall clock of a host, set by a test while the host runs (`Tests/Shims/clock.c`). Monotonic time goes on as ever.
public final class TestClock: Sendable {
    private let folder: TemporaryDirectory
    private let library: URL
    private var file: URL { folder.file("clock") }

    /// The clock shows `time` (seconds since the epoch) now.
    public init(_ time: Double, isSynchronised: Bool = true) throws {
        folder = try TemporaryDirectory("clock")
        library = folder.file("clock.so")
        try Self.build(library)
        try Data(count: 16).write(to: file)
        try set(time, isSynchronised: isSynchronised)
    }

    /// The environment that makes a host use it.
    public var settings: [String: String] { ["LD_PRELOAD": library.path, "TEST_CLOCK": file.path] }

    public func set(_ time: Double, isSynchronised: Bool = true) throws {
        let offset = Int64((time - Date().timeIntervalSince1970) * 1e9)
        // In place: the host has the file mapped.
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        let numbers = [offset, isSynchronised ? 1 : 0]
        let bytes = numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        try handle.write(contentsOf: Data(bytes))
    }

    private static func build(_ library: URL) throws {
        let source = Checkout.root.appendingPathComponent("Tests/Shims/clock.c").path
        let compiler = try ChildProcess(
            "/usr/bin/gcc",
            ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared", source, "-o", library.path],
            environment: ["PATH": "/usr/bin:/bin"], logs: try TemporaryDirectory("gcc"), name: "gcc")
        guard try compiler.waitForEnd(within: 60) == 0 else { throw FixtureError("gcc: \(compiler.errors)") }
    }
}
