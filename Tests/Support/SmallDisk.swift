import Foundation
import Glibc

/// A file system in memory that is soon full.
public struct SmallDisk: Sendable {
    public let path: String
    private var filler: String { path + "/filler" }

    public static let isPossible: Bool = {
        guard let disk = SmallDisk(megabytes: 1) else { return false }
        disk.remove()
        return true
    }()

    public init?(megabytes: Int) {
        path = NSTemporaryDirectory() + "smart-meter-disk-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard unsafe mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            try? FileManager.default.removeItem(atPath: path)
            return nil
        }
    }

    /// Takes all that is left.
    public func fill() throws {
        let file = unsafe fopen(filler, "a")
        guard let file = unsafe file else { throw FixtureError("cannot write to \(filler)") }
        defer { unsafe fclose(file) }
        let block = [UInt8](repeating: 1, count: 4096)
        while unsafe write(fileno(file), block, block.count) > 0 {}
    }

    public func empty() throws { try FileManager.default.removeItem(atPath: filler) }

    public func remove() {
        _ = unsafe umount2(path, Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: path)
    }
}
