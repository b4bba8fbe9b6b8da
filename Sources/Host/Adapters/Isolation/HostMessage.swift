import Configuration
import Readings

/// What the host says to a runner.
enum HostMessage: Hashable, Sendable {
    /// The first one: what to load, and for whom.
    case setup(RunnerSetup)
    /// A call into the adapter; answered by `returned` before the next.
    case call(AdapterCall)
    /// The running call is to return, and whatever comes.
    case cancel
    /// To the `ask` of that number.
    case answer(serial: UInt32, code: Int32, bytes: [UInt8])
    /// The history of that deadline is enough. It comes another way than calls, and may be late.
    case enough(deadline: Int64)
}

/// A call into an adapter. Deadlines are monotonic ns.
enum AdapterCall: Hashable, Sendable {
    case create(deadline: Int64)
    case start(deadline: Int64)
    case read(deadline: Int64)
    case history(HistoryRequest)
    /// However long a person takes.
    case login
    case stop(deadline: Int64)
    case destroy(deadline: Int64)

    /// Nil = none.
    var deadline: Int64? {
        switch self {
        case .create(let deadline), .start(let deadline), .read(let deadline), .stop(let deadline),
            .destroy(let deadline):
            deadline
        case .history(let request): request.deadline
        case .login: nil
        }
    }

    /// As people read it.
    var name: String {
        switch self {
        case .create: "create()"
        case .start: "start()"
        case .read: "read()"
        case .history: "history()"
        case .login: "login()"
        case .stop: "stop()"
        case .destroy: "destroy()"
        }
    }
}

/// What a runner needs to know.
struct RunnerSetup: Hashable, Sendable {
    /// The staged library.
    var library: String
    /// Libraries to load before it, by path.
    var needed: [String] = []
    /// The type of the one adapter that is to run; nil = say which there are, and end.
    var meterType: String?
    /// The instance's name.
    var instance = ""
    var settings: [String: String] = [:]
    /// Files that the settings name.
    var files: [String] = []
    /// What it must not read, wherever that lies.
    var secret: [String] = []
}

extension HostMessage {
    /// Whether it goes the way of calls, to the thread that the adapter runs on.
    var isCall: Bool {
        switch self {
        case .setup, .call: true
        case .cancel, .answer, .enough: false
        }
    }

    private enum Kind: UInt8 {
        case setup = 1
        case call, cancel, answer, enough
    }

    static let longestText = 1 << 20

    var encoded: [UInt8] {
        switch self {
        case .setup(let setup): Frame.encode(Kind.setup.rawValue, capacity: 1024) { setup.write(to: &$0) }
        case .call(let call): Frame.encode(Kind.call.rawValue) { call.write(to: &$0) }
        case .cancel: Frame.encode(Kind.cancel.rawValue) { _ in }
        case .answer(let serial, let code, let bytes):
            Frame.encode(Kind.answer.rawValue, capacity: bytes.count + 16) { writer in
                writer.write(serial)
                writer.write(code)
                writer.write(block: bytes)
            }
        case .enough(let deadline): Frame.encode(Kind.enough.rawValue) { $0.write(deadline) }
        }
    }

    init(_ frame: Frame) throws(Frame.Violation) {
        var reader = ByteReader(frame.payload)
        let message: HostMessage? =
            switch Kind(rawValue: frame.kind) {
            case .setup: RunnerSetup(&reader).map(HostMessage.setup)
            case .call: AdapterCall(&reader).map(HostMessage.call)
            case .cancel: .cancel
            case .answer:
                if let serial = reader.read(UInt32.self), let code = reader.read(Int32.self),
                    let bytes = reader.readBlock(limit: Frame.longestPayload)
                {
                    .answer(serial: serial, code: code, bytes: bytes)
                } else {
                    nil
                }
            case .enough: reader.read(Int64.self).map { .enough(deadline: $0) }
            case nil: nil
            }
        guard let message, reader.isAtEnd else {
            throw Frame.Violation(reason: "a message of kind \(frame.kind) that makes no sense")
        }
        self = message
    }
}

extension AdapterCall {
    private var verb: UInt8 {
        switch self {
        case .create: 1
        case .start: 2
        case .read: 3
        case .history: 4
        case .login: 5
        case .stop: 6
        case .destroy: 7
        }
    }

    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(verb)
        writer.write(deadline ?? 0)
        guard case .history(let request) = self else { return }
        writer.write(request.from)
        writer.write(request.to)
        writer.write(request.step)
        writer.write(request.maxRecords)
    }

    fileprivate init?(_ reader: inout ByteReader) {
        guard let verb = reader.read(UInt8.self), let deadline = reader.read(Int64.self) else { return nil }
        switch verb {
        case 1: self = .create(deadline: deadline)
        case 2: self = .start(deadline: deadline)
        case 3: self = .read(deadline: deadline)
        case 4:
            guard let from = reader.read(Int64.self), let to = reader.read(Int64.self),
                let step = reader.read(Int64.self), let maxRecords = reader.read(UInt32.self)
            else { return nil }
            self = .history(
                HistoryRequest(from: from, to: to, step: step, maxRecords: maxRecords, deadline: deadline))
        case 5: self = .login
        case 6: self = .stop(deadline: deadline)
        case 7: self = .destroy(deadline: deadline)
        default: return nil
        }
    }
}

extension RunnerSetup {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(text: library)
        writer.write(texts: needed)
        writer.write(text: meterType ?? "")
        writer.write(text: instance)
        writer.write(texts: settings.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
        writer.write(texts: files)
        writer.write(texts: secret)
    }

    fileprivate init?(_ reader: inout ByteReader) {
        guard let library = reader.readText(limit: HostMessage.longestText), let needed = reader.readTexts(),
            let meterType = reader.readText(limit: HostMessage.longestText),
            let instance = reader.readText(limit: HostMessage.longestText), let pairs = reader.readTexts(),
            pairs.count.isMultiple(of: 2), let files = reader.readTexts(), let secret = reader.readTexts()
        else { return nil }
        self.init(
            library: library, needed: needed, meterType: meterType.isEmpty ? nil : meterType, instance: instance,
            files: files, secret: secret)
        for index in stride(from: 0, to: pairs.count, by: 2) { settings[pairs[index]] = pairs[index + 1] }
    }
}

extension ByteWriter {
    fileprivate mutating func write(texts: [String]) {
        write(UInt32(clamping: texts.count))
        for text in texts { write(text: text) }
    }
}

extension ByteReader {
    fileprivate mutating func readTexts() -> [String]? {
        guard let count = read(UInt32.self) else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let text = readText(limit: HostMessage.longestText) else { return nil }
            texts.append(text)
        }
        return texts
    }
}
