import Foundation

/// A host on a machine that starts no process for a while (`Tests/Shims/spawn.c`).
public final class ProcessShortage: Sendable {
    private let folder: TemporaryDirectory
    private let library: URL
    private var file: URL { folder.file("spawn") }

    public init(_ code: Int32) throws {
        folder = try TemporaryDirectory("spawn")
        library = try Shim.build("spawn.c", in: folder)
        try Data(count: 16).write(to: file)
        try set(code)
    }

    /// The environment that makes a host suffer from it.
    public var settings: [String: String] { ["LD_PRELOAD": library.path, "TEST_SPAWN": file.path] }

    /// What starting a process ends with; 0 = it works.
    public func set(_ code: Int32) throws {
        // In place: the host has the file mapped.
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        try handle.write(contentsOf: Data((0..<8).map { UInt8(truncatingIfNeeded: Int64(code) >> ($0 * 8)) }))
    }

    /// How often a process was wanted in vain.
    public var refused: Int {
        get throws { try Data(contentsOf: file).dropFirst(8).reversed().reduce(0) { $0 << 8 | Int($1) } }
    }
}
