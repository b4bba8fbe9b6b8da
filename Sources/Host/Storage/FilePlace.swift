import Glibc

/// Which file a path leads to: it changes where the file is removed, replaced, or its disk is taken away.
struct FilePlace: Equatable {
    private let device: dev_t
    private let inode: ino_t

    /// Nil where there is no file.
    init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = status.st_dev
        inode = status.st_ino
    }
}
