import Foundation
import Storage

/// A place in memory for a store: how a disk keeps it is not the question of these tests.
func withDirectory(_ body: (DataDirectory) throws -> Void) throws {
    let path = "/dev/shm/smart-meter-pipeline-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(try DataDirectory(locking: path))
}
