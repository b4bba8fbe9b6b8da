import Foundation

/// A file system in memory that is soon full. Root only.
public final class SmallDisk: Sendable {
    public let path: String
    private var filler: String { path + "/filler" }

    public static let isPossible: Bool = (try? SmallDisk(megabytes: 1)) != nil

    /// - Parameter inodes: files and directories that it has room for; 0 = as many as its size allows.
    public init(megabytes: Int, inodes: Int = 0) throws {
        path = NSTemporaryDirectory() + "smart-meter-disk-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let options = "size=\(megabytes)m" + (inodes > 0 ? ",nr_inodes=\(inodes)" : "")
        guard unsafe mount("tmpfs", path, "tmpfs", 0, options) == 0 else {
            try? FileManager.default.removeItem(atPath: path)
            throw FixtureError("a small disk cannot be mounted: errno \(errno)")
        }
    }

    deinit {
        _ = unsafe umount2(path, Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Takes all that is left.
    public func fill() throws {
        let file = unsafe fopen(filler, "a")
        guard let file = unsafe file else { throw FixtureError("the disk takes no file") }
        defer { unsafe fclose(file) }
        let block = [UInt8](repeating: 1, count: 4096)
        while unsafe write(fileno(file), block, block.count) > 0 {}
    }

    public func empty() throws { try FileManager.default.removeItem(atPath: filler) }

    /// Takes all inodes that are left.
    public func fillInodes() {
        var count = 0
        while FileManager.default.createFile(atPath: "\(path)/inode-\(count)", contents: nil) { count += 1 }
    }

    public func emptyInodes() throws {
        for file in try FileManager.default.contentsOfDirectory(atPath: path) where file.hasPrefix("inode-") {
            try FileManager.default.removeItem(atPath: "\(path)/\(file)")
        }
    }
}
