import Foundation
import Synchronization

/// The wall clock of a host, set by a test while the host runs (`Tests/Shims/clock.c`). Monotonic time goes on as ever.
public final class TestClock: Sendable {
    private let folder: TemporaryDirectory
    private let library: URL
    private let offset = Mutex(0.0)
    private var file: URL { folder.file("clock") }

    /// The clock shows `time` (seconds since the epoch) now.
    public init(_ time: Double, isSynchronised: Bool = true) throws {
        folder = try TemporaryDirectory("clock")
        library = try Shim.build("clock.c", in: folder)
        try Data(count: 16).write(to: file)
        try set(time, isSynchronised: isSynchronised)
    }

    /// The environment that makes a host use it.
    public var settings: [String: String] { ["LD_PRELOAD": library.path, "TEST_CLOCK": file.path] }

    /// What it shows, in seconds since the epoch.
    public var now: Double { Date().timeIntervalSince1970 + offset.withLock { $0 } }

    public func set(_ time: Double, isSynchronised: Bool = true) throws {
        self.offset.withLock { $0 = time - Date().timeIntervalSince1970 }
        let offset = Int64((time - Date().timeIntervalSince1970) * 1e9)
        // In place: the host has the file mapped.
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        let numbers = [offset, isSynchronised ? 1 : 0]
        let bytes = numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        try handle.write(contentsOf: Data(bytes))
    }
}
