import Glibc
import Platform

/// What the host has too little of to look at an adapter's file. It passes, and says nothing about the file.
enum HostShortage: UInt8, Hashable, Sendable, CaseIterable {
    case memory = 1
    case descriptors, processes, room, device
    /// The machine is too busy even for what is the host's own.
    case speed
    /// A library has not come to an end in the time that it had: it hangs, or the machine is busy.
    case time
    /// Something else of the machine's or of the host's own.
    case other

    /// Nil where that errno may say something about the file.
    init?(code: Int32) {
        switch code {
        case ENOMEM, ENOBUFS: self = .memory
        case EMFILE, ENFILE: self = .descriptors
        case EAGAIN: self = .processes
        case ENOSPC, EDQUOT: self = .room
        case EIO, ESTALE, ETIMEDOUT: self = .device
        default: return nil
        }
    }

    /// What glibc's loader says where it was given no memory; it does not always add what the system has said.
    private static let wordsForMemory = [
        "failed to map segment from shared object", "cannot map zero-fill pages", "out of memory",
        "cannot create shared object descriptor", "cannot create TLS data structures", "cannot allocate dependency",
        "cannot allocate symbol search list", "cannot allocate version reference table",
    ]

    /// From what the dynamic loader says.
    init?(loaderWords words: String) {
        if Self.wordsForMemory.contains(where: { words == $0 || words.contains(": \($0)") }) {
            self = .memory
            return
        }
        let codes = [ENOMEM, EMFILE, ENFILE, EAGAIN, EIO, ESTALE]
        guard let code = codes.first(where: { words.hasSuffix(": \(SystemError.text($0))") }),
            let shortage = HostShortage(code: code)
        else { return nil }
        self = shortage
    }

    /// What a person can do about it.
    var advice: String {
        switch self {
        case .memory: "free memory or add swap; the kernel's log (dmesg) names what it killed for want of it"
        case .descriptors: "let more files be open: LimitNOFILE of the unit, ulimit -n, or the system's fs.file-max"
        case .processes: "let more processes and threads run: TasksMax of the unit, or ulimit -u"
        case .room: "make room on the disk that holds DATA_DIR"
        case .device: "look after the disk: the kernel's log (dmesg) says what fails"
        case .speed: "wait, or give the machine less to do"
        case .time: "where the machine is busy, wait; else the library hangs: replace or remove the file"
        case .other: "mend what the reason names"
        }
    }
}
