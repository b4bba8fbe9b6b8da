import CLinux
import Glibc
import Platform

/// `DATA_DIR`: where the store lies, locked by the one host that runs on it.
package final class DataDirectory: Sendable {
    package let path: String
    /// Held while the host runs; closing it gives the lock back.
    private let lock: Int32

    /// A directory for reading, or beside a running host: made where it is missing, not locked.
    package init(unlocked path: String) {
        self.path = path
        lock = -1
    }

    /// Makes the directory where it is missing (mode 0700), and locks it.
    package init(locking path: String) throws(StorageError) {
        self.path = path
        for part in Self.parents(of: path) where unsafe mkdir(part, 0o700) != 0 && errno != EEXIST {
            throw StorageError(.inputOutput, "cannot make DATA_DIR \(path): \(SystemError.text(errno))")
        }
        let file = path + "/lock"
        let descriptor = unsafe sm_open(file, O_RDWR | O_CREAT, 0o600)
        guard descriptor >= 0 else {
            throw StorageError(.inputOutput, "cannot write to DATA_DIR \(path): \(SystemError.text(errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            var holder = [UInt8](repeating: 0, count: 16)
            let count = unsafe read(descriptor, &holder, holder.count)
            close(descriptor)
            let pid = String(decoding: holder.prefix(max(0, count)), as: UTF8.self)
            throw StorageError(
                .busy, "DATA_DIR \(path) is in use by another smart-meter (process \(pid)); stop it or choose another")
        }
        let pid = Array("\(getpid())".utf8)
        ftruncate(descriptor, 0)
        _ = unsafe pwrite(descriptor, pid, pid.count, 0)
        lock = descriptor
    }

    deinit {
        if lock >= 0 { close(lock) }
    }

    package func path(of file: String) -> String { path + "/" + file }

    /// Moves a damaged database away, with what belongs to it. Answers where it is now.
    func setAside(_ file: String) -> String {
        let aside = "\(file).damaged-\(time(nil))"
        for suffix in ["", "-wal", "-shm"] {
            _ = unsafe rename(path(of: file + suffix), path(of: aside + suffix))
        }
        return path(of: aside)
    }

    private static func parents(of path: String) -> [String] {
        var parents: [String] = []
        var part = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            part += "/\(name)"
            parents.append(part)
        }
        return parents
    }
}
