import API
import Platform
import Readings
import Storage
import Synchronization

/// The store as the API reads it: one connection, opened when it is first needed, and anew after a failure. Used on the
/// query thread.
final class History: Sendable {
    private let directory: DataDirectory
    private let reader = Mutex<Reader?>(nil)

    /// A reader pins the log of changes: it cannot be written back meanwhile.
    private static let patience = 5 * Duration.second

    init(_ directory: DataDirectory) {
        self.directory = directory
    }

    /// What takes longer than a reader may is a problem.
    func read<Answer: Sendable>(
        _ question: (Reader) throws(StorageError) -> Answer
    ) throws(Problem) -> Answer {
        do throws(StorageError) {
            return try reader.withLock { (slot) throws(StorageError) in
                let reader: Reader
                if let open = slot.take() { reader = open } else { reader = try Reader(directory: directory) }
                reader.cut(at: Clock.monotonic() + Self.patience)
                let answer = try question(reader)
                slot = reader
                return answer
            }
        } catch {
            throw Problem(status: 503, title: "Store Unavailable", detail: "\(error.message); \(error.advice)")
        }
    }
}
