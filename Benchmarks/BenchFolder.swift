import Glibc
import Storage

/// A data directory on the disk whose commits are measured (BENCH_DIR, `.build`), removed afterwards.
enum BenchFolder {
    static func with<Result>(_ name: String, _ body: (DataDirectory) throws -> Result) throws -> Result {
        let folder = "\(parent)/benchmark-\(getpid())-\(name)"
        defer { remove(folder) }
        return try body(try DataDirectory(locking: folder))
    }

    private static var parent: String {
        guard let value = unsafe getenv("BENCH_DIR") else { return ".build" }
        return unsafe String(cString: value)
    }

    private static func remove(_ folder: String) {
        for file in ["smart-meter.db", "smart-meter.db-wal", "smart-meter.db-shm", "lock", Reserve.fileName] {
            _ = unsafe unlink("\(folder)/\(file)")
        }
        _ = unsafe rmdir(folder)
    }
}
