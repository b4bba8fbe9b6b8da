import Glibc

/// Which file it is, at a moment: two that differ are not the same file, or not the same content.
struct FileIdentity: Hashable, Sendable {
    private var device: UInt64 = 0
    private var inode: UInt64 = 0
    private var size: Int64 = 0
    private var modified: Int64 = 0
    /// Also of its owner and mode.
    private var changed: Int64 = 0

    /// That of a link that leads nowhere.
    static let none = FileIdentity()

    private init() {}

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Self.nanoseconds(status.st_mtim)
        changed = Self.nanoseconds(status.st_ctim)
    }

    /// Of what a path leads to; nil where it leads nowhere.
    init?(at path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    static func isThere(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
