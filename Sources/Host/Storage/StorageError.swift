/// What went wrong with the store, where, and what to do about it.
package struct StorageError: Error, CustomStringConvertible, Sendable {
    package enum Kind: Sendable {
        /// No space (or no inodes) left.
        case full
        /// Reading or writing failed: a disk fault, a read-only remount, a directory that is gone.
        case inputOutput
        /// The file was removed or replaced while it was open.
        case gone
        case corrupt
        case busy
        /// It took longer than a reader may: it would keep the log of changes from being written back.
        case tooSlow
        /// The file was made by a newer version of this program.
        case newerVersion
        case other
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }

    /// Whether more room on the disk may help: a quota, and a shared-memory file that does not fit, are I/O errors.
    package var mayLackRoom: Bool { kind == .full || kind == .inputOutput }

    /// For /health: what a person can do.
    package var advice: String {
        switch kind {
        case .full: "make room on the disk that holds DATA_DIR"
        case .inputOutput: "check that DATA_DIR is there, is writable, and that its disk is sound"
        case .gone: "bring DATA_DIR back as it was; where it is gone for good, restart smart-meter"
        case .corrupt: "the damaged file was set aside; it can be inspected with sqlite3's .recover"
        case .tooSlow: "ask for less at once"
        case .busy: "close other programs that hold the database open for long"
        case .newerVersion: "run the newer version of smart-meter again, or move the file away"
        case .other: "see the log"
        }
    }
}
