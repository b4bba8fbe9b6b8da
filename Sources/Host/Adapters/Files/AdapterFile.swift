import CLinux
import Glibc
import Platform

/// A file that was dropped into a directory, opened for copying. Nothing of it has been believed yet.
struct AdapterFile: ~Copyable {
    let descriptor: FileDescriptor
    let identity: FileIdentity

    /// Opens it where it may be used at all.
    /// - Parameter isTrusted: it is the release's own: whoever can write there can write the program, too.
    init(_ name: String, in directory: String, isTrusted: Bool) throws(LibraryObjection) {
        let folder = FileDescriptor(owning: unsafe sm_open(directory, O_RDONLY | O_DIRECTORY, 0))
        guard folder.number >= 0 else {
            throw LibraryObjection("its directory cannot be read", errno)
        }
        let number =
            unsafe isTrusted
            ? sm_open("\(directory)/\(name)", O_RDONLY | O_NONBLOCK, 0) : sm_open_in(folder.number, name)
        let file = FileDescriptor(owning: number)
        guard file.number >= 0 else { throw Self.objection(for: errno) }
        let status = try Self.status(of: file)
        guard status.st_mode & S_IFMT == S_IFREG else { throw LibraryObjection(reason: "it is not a regular file") }
        if !isTrusted {
            if let reason = Self.objection(to: status) { throw LibraryObjection(reason: "it \(reason)") }
            if let reason = Self.objection(to: try Self.status(of: folder)) {
                throw LibraryObjection(reason: "its directory \(reason)")
            }
        }
        identity = FileIdentity(status)
        descriptor = file
    }

    /// What it is now: whether it was changed while it was read.
    borrowing func currentIdentity() throws(LibraryObjection) -> FileIdentity {
        FileIdentity(try Self.status(of: descriptor))
    }

    private static func status(of descriptor: borrowing FileDescriptor) throws(LibraryObjection) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0 else {
            throw LibraryObjection("it cannot be read", errno)
        }
        return status
    }

    /// Whoever can write to a library runs code in its process.
    private static func objection(to status: stat) -> String? {
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            return "belongs to user \(status.st_uid): it must be root's, or that of the user that runs smart-meter "
                + "(\(geteuid()))"
        }
        let isOthers = status.st_mode & S_IWOTH != 0
        let isForeignGroups = status.st_mode & S_IWGRP != 0 && status.st_gid != 0 && status.st_gid != getegid()
        return isOthers || isForeignGroups ? "can be written by others: chmod go-w" : nil
    }

    private static func objection(for code: Int32) -> LibraryObjection {
        switch code {
        case EXDEV, ELOOP: LibraryObjection(reason: "it is a symbolic link out of its directory")
        // A socket, or a device without a driver.
        case ENXIO, ENODEV: LibraryObjection(reason: "it is not a regular file")
        default: LibraryObjection("it cannot be read", code)
        }
    }
}
