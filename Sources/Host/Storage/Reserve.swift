import CLinux
import Glibc

/// Space in `DATA_DIR` that is kept for the day on which the disk is full: a store without any room cannot even delete
/// what is old. Given up then, and taken again once there is room for it.
package struct Reserve: Sendable {
    package static let fileName = "reserve"
    private let directory: String
    private let path: String
    private let bytes: Int64

    init(in directory: DataDirectory, bytes: Int64 = 32 << 20) {
        self.directory = directory.path
        path = directory.path(of: Self.fileName)
        self.bytes = bytes
    }

    package var isThere: Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_size == off_t(bytes)
    }

    /// Takes the space where as much again stays free: a reserve shall not be what fills the disk. Answers whether it
    /// is there now.
    @discardableResult
    package func make() -> Bool {
        if isThere { return true }
        // A file of another size is what a kill or a full disk left of an earlier try.
        _ = unsafe unlink(path)
        guard hasRoom else { return false }
        let file = unsafe sm_open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        guard sm_fallocate(file, bytes) == 0 else {
            _ = unsafe unlink(path)
            return false
        }
        return true
    }

    /// Gives the space back to the disk. Answers whether there was any to give.
    package func giveUp() -> Bool {
        guard isThere else { return false }
        return unsafe unlink(path) == 0
    }

    private var hasRoom: Bool {
        var disk = statvfs()
        guard unsafe statvfs(directory, &disk) == 0 else { return false }
        let free = UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize))
        return free.overflow || free.partialValue >= 2 * UInt64(bytes)
    }
}
