import Storage
import Synchronization

/// The store as pages read it: one connection, opened when it is first needed, and anew after a failure.
final class History: Sendable {
    private let directory: DataDirectory
    private let reader = Mutex<Reader?>(nil)

    init(_ directory: DataDirectory) {
        self.directory = directory
    }

    func read<Answer: Sendable>(
        _ question: (Reader) throws(StorageError) -> Answer
    ) throws(StorageError) -> Answer {
        try reader.withLock { (slot) throws(StorageError) in
            let reader: Reader
            if let open = slot.take() { reader = open } else { reader = try Reader(directory: directory) }
            let answer = try question(reader)
            slot = reader
            return answer
        }
    }
}
