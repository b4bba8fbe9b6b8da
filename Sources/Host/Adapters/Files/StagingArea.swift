import CLinux
import Glibc
package import Platform
import Synchronization

/// The private directory from which libraries are loaded: overwriting a mapped file kills the process that maps it, so
/// what was dropped is copied here first, under its SHA-256.
package final class StagingArea: Sendable {
    private let directory: String
    /// Staged libraries in use, by their digest.
    private let uses = Mutex<[String: Int]>([:])
    private let copies = Atomic<Int>(0)
    private static let chunk = 64 << 10

    /// Makes the directory where it is missing, and removes what the run before has left there.
    package init(_ directory: String) throws(SystemError) {
        self.directory = directory
        guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw SystemError("mkdir \(directory)") }
        var status = stat()
        guard unsafe lstat(directory, &status) == 0 else { throw SystemError("stat \(directory)") }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
            throw SystemError("\(directory) is not a directory of this user", EACCES)
        }
        guard unsafe chmod(directory, 0o700) == 0 else { throw SystemError("chmod \(directory)") }
        removeAll()
    }

    /// Everything in it, and itself.
    package func remove() {
        removeAll()
        _ = unsafe rmdir(directory)
    }

    /// Whether libraries in it can be loaded at all.
    package static func mayLoad(from directory: String) -> Bool {
        var status = statvfs()
        // ST_NOEXEC
        return unsafe statvfs(directory, &status) == 0 && status.f_flag & 8 == 0
    }

    /// Copies the file.
    func stage(_ file: borrowing AdapterFile) throws(LibraryObjection) -> StagedLibrary {
        guard Self.mayLoad(from: directory) else {
            throw LibraryObjection(
                reason: "its copy could not be loaded: the disk that holds \(directory) is mounted noexec",
                shortage: .other)
        }
        let temporary = "\(directory)/copy-\(copies.add(1, ordering: .relaxed).newValue)"
        defer { _ = unsafe unlink(temporary) }
        let digest = try copy(file, to: temporary)
        let path = path(of: digest)
        return try uses.withLock { (uses) throws(LibraryObjection) in
            if uses[digest] == nil, unsafe rename(temporary, path) != 0 {
                throw LibraryObjection.ofHost("it cannot be copied to \(directory)", errno)
            }
            uses[digest, default: 0] += 1
            return StagedLibrary(self, digest: digest)
        }
    }

    fileprivate func path(of digest: String) -> String { "\(directory)/\(digest).so" }

    fileprivate func release(_ digest: String) {
        uses.withLock { uses in
            uses[digest, default: 1] -= 1
            guard uses[digest] == 0 else { return }
            uses[digest] = nil
            _ = unsafe unlink(path(of: digest))
        }
    }

    /// Answers the digest of what was copied.
    private func copy(_ file: borrowing AdapterFile, to path: String) throws(LibraryObjection) -> String {
        let target = FileDescriptor(owning: unsafe sm_open(path, O_WRONLY | O_CREAT | O_EXCL, 0o400))
        guard target.number >= 0 else { throw LibraryObjection.ofHost("it cannot be copied to \(directory)", errno) }
        guard var digest = try? SHA256() else {
            throw LibraryObjection.ofHost("it cannot be copied to \(directory)", ENOMEM)
        }
        var chunk = [UInt8](repeating: 0, count: Self.chunk)
        var total: Int64 = 0
        while true {
            let count = unsafe pread(file.descriptor.number, &chunk, chunk.count, off_t(total))
            guard count >= 0 else { throw LibraryObjection("it cannot be read", errno) }
            if count == 0 { break }
            total += Int64(count)
            guard total <= ELFCheck.largestFile else { throw LibraryObjection(reason: "it is larger than 256 MB") }
            digest.update(chunk[..<count])
            let written = unsafe write(target.number, chunk, count)
            guard written == count else {
                // Less than all of it: there was no room for the rest.
                throw LibraryObjection.ofHost("it cannot be copied to \(directory)", written < 0 ? errno : ENOSPC)
            }
        }
        guard try file.currentIdentity() == file.identity else {
            throw LibraryObjection(reason: "it is being written")
        }
        return digest.finish()
    }

    private func removeAll() {
        for name in DirectoryNames.of(directory) ?? [] { _ = unsafe unlink("\(directory)/\(name)") }
    }
}

/// A copy of a library that is loaded from where it is; removed with its last user. A process that has loaded it goes on
/// without the file.
package final class StagedLibrary: Sendable {
    /// SHA-256 in hexadecimal: two with the same are the same.
    package let digest: String
    private let area: StagingArea

    fileprivate init(_ area: StagingArea, digest: String) {
        self.area = area
        self.digest = digest
    }

    deinit { area.release(digest) }

    var path: String { area.path(of: digest) }

    /// Opened for a look.
    func open() throws(LibraryObjection) -> FileDescriptor {
        let file = FileDescriptor(owning: unsafe sm_open(path, O_RDONLY, 0))
        guard file.number >= 0 else { throw LibraryObjection.ofHost("its copy cannot be read", errno) }
        return file
    }
}
