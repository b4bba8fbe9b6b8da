import CLinux
import Glibc
import Platform

/// inotify over the directories that adapters are dropped into.
final class DirectoryWatch: Sendable {
    struct Event: Hashable, Sendable {
        /// As `watch` answered it; -1: of all.
        let watch: Int32
        let name: String
        private let mask: UInt32

        init(watch: Int32, name: String, mask: UInt32) {
            self.watch = watch
            self.name = name
            self.mask = mask
        }

        /// The file is being written: it is whole at `isWritten`.
        var isBeingWritten: Bool { mask & SM_FILE_MODIFIED != 0 }
        var isWritten: Bool { mask & SM_FILE_WRITTEN != 0 }
        var isEndOfWatch: Bool { mask & SM_WATCH_ENDED != 0 }
        /// Events were lost: anything may have happened.
        var isOverflow: Bool { mask & SM_WATCH_OVERFLOWED != 0 }
    }

    private let inotify: FileDescriptor
    private static let chunk = 16 << 10

    init() throws(SystemError) {
        inotify = FileDescriptor(owning: sm_inotify())
        guard inotify.number >= 0 else { throw SystemError("inotify_init1") }
    }

    /// Readable when there are events.
    var number: Int32 { inotify.number }

    /// Begins to watch, or goes on with it; nil where the kernel does not.
    func watch(_ directory: String) -> Int32? {
        let watch = unsafe sm_inotify_watch(inotify.number, directory)
        return watch >= 0 ? watch : nil
    }

    /// What has happened so far.
    func events() -> [Event] {
        var events: [Event] = []
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 8) { chunk in
            while true {
                let count = unsafe read(inotify.number, chunk.baseAddress, chunk.count)
                guard count > 0 else { return }
                unsafe Self.parse(UnsafeRawBufferPointer(rebasing: chunk[..<count]), &events)
            }
        }
        return events
    }

    /// struct inotify_event: watch, mask, cookie, length of the name that follows, padded with NULs.
    private static func parse(_ bytes: UnsafeRawBufferPointer, _ events: inout [Event]) {
        var place = 0
        while bytes.count - place >= 16 {
            let watch = unsafe bytes.loadUnaligned(fromByteOffset: place, as: Int32.self)
            let mask = unsafe bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self)
            let length = unsafe Int(bytes.loadUnaligned(fromByteOffset: place + 12, as: UInt32.self))
            guard length <= bytes.count - place - 16 else { return }
            let name = unsafe bytes[(place + 16)..<(place + 16 + length)].prefix { $0 != 0 }
            unsafe events.append(Event(watch: watch, name: String(decoding: name, as: UTF8.self), mask: mask))
            place += 16 + length
        }
    }
}
