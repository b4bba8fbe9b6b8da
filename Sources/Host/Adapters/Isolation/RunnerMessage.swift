import AdapterABI
import Configuration
import Readings

/// What a runner says to the host. It may be hostile: each part has a bound, and what is left is checked where it is
/// used.
enum RunnerMessage: Hashable, Sendable {
    /// The first one. `landlock`: the version that confines it; 0 = none.
    case ready(version: UInt32, landlock: UInt32)
    /// An adapter of the library.
    case described(AdapterDescription)
    /// The library is not to be used: why, and what it was for want of. The last one.
    case refused(String, shortage: HostShortage?)
    /// The library is loaded, and its adapters have been described.
    case loaded
    /// The call has returned.
    case returned(CallOutcome)
    /// A reading, as `ReadingCoding` has it.
    case reading([UInt8])
    /// A record of history, as `ReadingCoding` has it; only within that call.
    case record([UInt8])
    /// Readings that the runner has not passed on: they broke a rule, or too many were on their way.
    case dropped(invalid: UInt32, busy: UInt32, reason: String)
    case log(level: UInt32, message: String)
    case condition(code: Int32, retryAfter: Int64, message: String)
    /// Answered by `answer`.
    case ask(serial: UInt32, RunnerQuestion)
}

/// What a call came to.
struct CallOutcome: Hashable, Sendable {
    /// METER_OK, or why it failed.
    var code: Int32 = METER_OK
    var retryAfter: Int64 = 0
    /// Why it failed; of a login, what was found.
    var message = ""
    /// Of history.
    var history = HistoryAnswer()
}

/// What an adapter wants of the host.
enum RunnerQuestion: Hashable, Sendable {
    case spend(UInt32)
    case state(key: [UInt8])
    /// Removes with nil.
    case setState(key: [UInt8], value: [UInt8]?)
    /// Only within a login.
    case prompt(LoginPrompt)
}

/// Version of what host and runner say to each other. Both are the same program; the version tells where they are not.
let runnerProtocolVersion: UInt32 = 2

extension RunnerMessage {
    private enum Kind: UInt8 {
        case ready = 64
        case described, refused, loaded, returned, reading, record, dropped, log, condition, ask
    }

    static let longestReason = 4096

    var encoded: [UInt8] {
        switch self {
        case .ready(let version, let landlock):
            Frame.encode(Kind.ready.rawValue) { writer in
                writer.write(version)
                writer.write(landlock)
            }
        case .described(let description):
            Frame.encode(Kind.described.rawValue, capacity: 4096) { description.write(to: &$0) }
        case .refused(let reason, let shortage):
            Frame.encode(Kind.refused.rawValue) { writer in
                writer.write(text: reason)
                writer.write(shortage?.rawValue ?? 0)
            }
        case .loaded: Frame.encode(Kind.loaded.rawValue) { _ in }
        case .returned(let outcome): Frame.encode(Kind.returned.rawValue) { outcome.write(to: &$0) }
        case .reading(let payload):
            Frame.encode(Kind.reading.rawValue, capacity: payload.count) { $0.write(bytes: payload) }
        case .record(let payload):
            Frame.encode(Kind.record.rawValue, capacity: payload.count) { $0.write(bytes: payload) }
        case .dropped(let invalid, let busy, let reason):
            Frame.encode(Kind.dropped.rawValue) { writer in
                writer.write(invalid)
                writer.write(busy)
                writer.write(text: reason)
            }
        case .log(let level, let message):
            Frame.encode(Kind.log.rawValue, capacity: 256) { writer in
                writer.write(level)
                writer.write(text: message)
            }
        case .condition(let code, let retryAfter, let message):
            Frame.encode(Kind.condition.rawValue) { writer in
                writer.write(code)
                writer.write(retryAfter)
                writer.write(text: message)
            }
        case .ask(let serial, let question):
            Frame.encode(Kind.ask.rawValue) { writer in
                writer.write(serial)
                question.write(to: &writer)
            }
        }
    }

    /// The frame of a reading or a record, made without a copy between.
    static func encoded(_ reading: UnsafePointer<meter_reading>, isRecord: Bool) -> [UInt8] {
        let kind = isRecord ? Kind.record : .reading
        return Frame.encode(kind.rawValue, capacity: unsafe ReadingCoding.size(reading)) { writer in
            unsafe ReadingCoding.write(reading, to: &writer)
        }
    }

    init(_ frame: Frame) throws(Frame.Violation) {
        switch Kind(rawValue: frame.kind) {
        case .reading: self = .reading(frame.payload)
        case .record: self = .record(frame.payload)
        case let kind:
            var reader = ByteReader(frame.payload)
            guard let kind, let message = Self(kind, &reader), reader.isAtEnd else {
                throw Frame.Violation(reason: "a message of kind \(frame.kind) that makes no sense")
            }
            self = message
        }
    }

    private init?(_ kind: Kind, _ reader: inout ByteReader) {
        switch kind {
        case .ready:
            guard let version = reader.read(UInt32.self), let landlock = reader.read(UInt32.self) else { return nil }
            self = .ready(version: version, landlock: landlock)
        case .described:
            guard let description = AdapterDescription(&reader) else { return nil }
            self = .described(description)
        case .refused:
            guard let reason = reader.readText(limit: Self.longestReason), let shortage = reader.read(UInt8.self)
            else { return nil }
            self = .refused(reason, shortage: HostShortage(rawValue: shortage))
        case .loaded: self = .loaded
        case .returned:
            guard let outcome = CallOutcome(&reader) else { return nil }
            self = .returned(outcome)
        case .reading, .record: return nil
        case .dropped:
            guard let invalid = reader.read(UInt32.self), let busy = reader.read(UInt32.self),
                let reason = reader.readText(limit: Self.longestReason)
            else { return nil }
            self = .dropped(invalid: invalid, busy: busy, reason: reason)
        case .log:
            guard let level = reader.read(UInt32.self),
                let message = reader.readText(limit: ForeignText.longestMessage)
            else { return nil }
            self = .log(level: level, message: message)
        case .condition:
            guard let code = reader.read(Int32.self), let retryAfter = reader.read(Int64.self),
                let message = reader.readText(limit: ForeignText.longestMessage)
            else { return nil }
            self = .condition(code: code, retryAfter: retryAfter, message: message)
        case .ask:
            guard let serial = reader.read(UInt32.self), let question = RunnerQuestion(&reader) else { return nil }
            self = .ask(serial: serial, question)
        }
    }
}

extension CallOutcome {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(code)
        writer.write(retryAfter)
        writer.write(text: message)
        writer.write(history.outcome)
        for number in [history.coveredTo, history.retryAfter, history.noneBefore] { writer.write(number) }
    }

    fileprivate init?(_ reader: inout ByteReader) {
        guard let code = reader.read(Int32.self), let retryAfter = reader.read(Int64.self),
            let message = reader.readText(limit: RunnerMessage.longestReason),
            let outcome = reader.read(UInt32.self), let coveredTo = reader.read(Int64.self),
            let askAgain = reader.read(Int64.self), let noneBefore = reader.read(Int64.self)
        else { return nil }
        self.init(
            code: code, retryAfter: retryAfter, message: message,
            history: HistoryAnswer(
                outcome: outcome, coveredTo: coveredTo, retryAfter: askAgain, noneBefore: noneBefore))
    }
}

extension RunnerQuestion {
    private static let longestKey = 255

    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .spend(let requests):
            writer.write(UInt8(1))
            writer.write(requests)
        case .state(let key):
            writer.write(UInt8(2))
            writer.write(block: key)
        case .setState(let key, let value):
            writer.write(UInt8(3))
            writer.write(block: key)
            writer.write(value != nil)
            writer.write(block: value ?? [])
        case .prompt(let prompt):
            writer.write(UInt8(4))
            writer.write(prompt.kind)
            writer.write(text: prompt.question)
        }
    }

    fileprivate init?(_ reader: inout ByteReader) {
        switch reader.read(UInt8.self) {
        case 1:
            guard let requests = reader.read(UInt32.self) else { return nil }
            self = .spend(requests)
        case 2:
            guard let key = reader.readBlock(limit: Self.longestKey) else { return nil }
            self = .state(key: key)
        case 3:
            guard let key = reader.readBlock(limit: Self.longestKey), let isThere = reader.readBool(),
                let value = reader.readBlock(limit: Int(METER_STATE_MAX_BYTES))
            else { return nil }
            self = .setState(key: key, value: isThere ? value : nil)
        case 4:
            guard let kind = reader.read(UInt32.self),
                let question = reader.readText(limit: RunnerMessage.longestReason)
            else { return nil }
            self = .prompt(LoginPrompt(kind: kind, question: question))
        default: return nil
        }
    }
}
