import Foundation
import Synchronization

/// A simulated meter at a real broker: it says its name when it comes, answers what it is asked, and says what it
/// measures when it is told to.
public final class ShellyDevice: Sendable {
    public enum Model: Sendable {
        case gen1(ShellyGen1)
        case gen2(ShellyGen2)

        var id: String {
            switch self {
            case .gen1(let model): model.id
            case .gen2(let model): model.id
            }
        }

        func online(_ isOnline: Bool) -> MQTTMessage {
            switch self {
            case .gen1(let model): model.online(isOnline)
            case .gen2(let model): model.online(isOnline)
            }
        }
    }

    /// What crosses to the client's thread.
    private final class State: Sendable {
        let model: Mutex<Model>
        let client = Mutex<MQTTClient?>(nil)
        let questions = Mutex<[String]>([])
        let isSilent = Mutex(false)
        init(_ model: Model) { self.model = Mutex(model) }
    }

    private let state: State
    private let port: UInt16
    private let account: (user: String, password: String)?

    public init(_ model: Model, at port: UInt16, account: (user: String, password: String)? = nil) throws {
        state = State(model)
        self.port = port
        self.account = account
        try connect()
    }

    /// Methods that it was asked, `announce` and `update` among them.
    public var questions: [String] { state.questions.withLock { $0 } }

    /// It says nothing by itself and answers nothing.
    public var isSilent: Bool {
        get { state.isSilent.withLock { $0 } }
        set { state.isSilent.withLock { $0 = newValue } }
    }

    /// Again, after `vanish` or where the broker was away.
    public func connect() throws {
        let model = state.model.withLock { $0 }
        let client = try MQTTClient(
            port: port, id: model.id, account: account, will: model.online(false),
            receive: { [state] in Self.receive($0, state) })
        state.client.withLock { $0 = client }
        client.publish(model.online(true))
        switch model {
        case .gen1(let model):
            client.publish(model.announcement)
            try client.subscribe("shellies/command")
        case .gen2(let model): try client.subscribe("\(model.prefix)/rpc")
        }
    }

    /// Whether the broker still has it.
    public var isConnected: Bool { state.client.withLock { $0?.isOpen ?? false } }

    /// Loses its power: the broker says that it is offline.
    public func vanish() {
        state.client.withLock { client in
            client?.vanish()
            client = nil
        }
    }

    /// Measures until `second` (since the epoch) and says all that it measures then.
    public func say(at second: Int) {
        guard !isSilent else { return }
        let messages = state.model.withLock { model -> [MQTTMessage] in
            switch model {
            case .gen1(var meter):
                meter.advance(to: second)
                let messages = meter.state()
                model = .gen1(meter)
                return messages
            case .gen2(var meter):
                meter.advance(to: second)
                let power = meter.powerNotification(isWhole: true)
                model = .gen2(meter)
                return [power, meter.energyNotification()].compactMap { $0 }
            }
        }
        publish(messages)
    }

    /// Says what it measures, again and again, until the last reference goes.
    public func speak(everySeconds seconds: Double) {
        let thread = Thread { [weak self] in
            while let device = self {
                device.say(at: Int(Date().timeIntervalSince1970))
                usleep(UInt32(seconds * 1e6))
            }
        }
        thread.start()
    }

    public func change(_ body: (inout Model) -> Void) { state.model.withLock { body(&$0) } }

    public func publish(_ messages: [MQTTMessage]) {
        let client = state.client.withLock { $0 }
        for message in messages { client?.publish(message) }
    }

    private static func receive(_ message: MQTTMessage, _ state: State) {
        guard !state.isSilent.withLock({ $0 }) else { return }
        let answers = state.model.withLock { model -> [MQTTMessage] in
            switch model {
            case .gen1(var meter):
                let answers = message.text == "announce" ? [meter.announcement] : meter.state()
                model = .gen1(meter)
                return answers
            case .gen2(var meter):
                let answer = meter.answer(message)
                model = .gen2(meter)
                return [answer].compactMap { $0 }
            }
        }
        let method = message.text.split(separator: "\"method\":\"").dropFirst().first?.split(separator: "\"").first
        state.questions.withLock { $0.append(method.map(String.init) ?? message.text) }
        let client = state.client.withLock { $0 }
        for answer in answers { client?.publish(answer) }
    }
}
