import AdapterABI
import Configuration
import Observability
import Platform
import Readings

/// An adapter in a child process of its own. What it says is handled on the instance's thread, within and between calls.
struct IsolatedHosting: AdapterHosting {
    private let launch: RunnerLaunch
    private let meterType: String
    private let instance: String
    private let settings: [String: String]
    /// Files that the settings name.
    private let files: [String]
    private let services: InstanceServices
    private var runner: RunnerProcess?
    /// When the runner was told to stop, monotonic ns.
    private var cancelledAt: Int64?
    /// While a login runs: the person, and the number of the question that waits for an answer.
    private var login: (dialogue: LoginDialogue, asked: UInt32?)?

    /// What the host may take for itself within a call: a disk that hangs is not the adapter's fault.
    private static let longestService = 10 * Duration.second
    /// From the wish to stop to the end of a process that does not.
    private static let stopTime = 900 * Duration.millisecond

    init(
        _ launch: RunnerLaunch, _ description: AdapterDescription, instance: String, settings: [String: String],
        services: InstanceServices
    ) {
        self.launch = launch
        self.instance = instance
        self.settings = settings
        self.services = services
        meterType = description.meterType
        files = description.settings.filter { $0.kind == .file }.compactMap { settings[$0.name] }
    }

    // MARK: Calls

    mutating func create() throws(HostingError) {
        if runner == nil { try begin() }
        _ = try call(.create(deadline: Clock.monotonic() + CallTime.start))
    }

    mutating func start() throws(HostingError) {
        _ = try call(.start(deadline: Clock.monotonic() + CallTime.start))
    }

    mutating func read(until deadline: Int64) throws(HostingError) { _ = try call(.read(deadline: deadline)) }

    mutating func history(
        _ request: HistoryRequest, put: @escaping CallListener.Put
    ) throws(HostingError) -> HistoryAnswer {
        try unsafe call(.history(request), CallListener(put: put)).history
    }

    mutating func login(_ dialogue: LoginDialogue) throws(HostingError) -> String {
        login = (dialogue, nil)
        defer { login = nil }
        return try call(.login).message
    }

    mutating func stop() throws(HostingError) {
        _ = try call(.stop(deadline: Clock.monotonic() + CallTime.stop))
    }

    mutating func destroy() throws(HostingError) {
        guard let runner else { return }
        defer {
            runner.end()
            self.runner = nil
        }
        _ = try call(.destroy(deadline: Clock.monotonic() + CallTime.stop))
    }

    mutating func idle(until deadline: Int64?, _ bell: Doorbell) throws(HostingError) {
        guard let runner else {
            bell.wait(until: deadline)
            return
        }
        switch runner.next(until: deadline, wake: [bell.number]) {
        case .message(let message):
            var records: UInt32 = 0
            try handle(message, runner, during: nil, CallListener(), &records)
        case .ended(let end): throw ended(end, during: nil)
        case .woken: bell.silence()
        case .deadline: break
        }
    }

    private mutating func begin() throws(HostingError) {
        let services = services
        cancelledAt = nil
        do throws(RunnerLaunch.Failure) {
            runner = try launch.start(
                meterType, instance: instance, settings: settings, files: files
            ) { line in services.take(line: line, .info, LogField("from", "output")) }
        } catch {
            switch error {
            case .refused(let objection): throw .ended("it could not be started: \(objection.reason)")
            case .ended(let end, let during, _): throw .ended(end.words(in: during))
            }
        }
    }

    /// - Parameter listener: takes what comes while it runs.
    private mutating func call(
        _ call: AdapterCall, _ listener: CallListener = CallListener()
    ) throws(HostingError) -> CallOutcome {
        guard let runner else { throw .ended("it is not running") }
        var limit = call.deadline.map { $0 + CallTime.patience }
        let last = limit.map { $0 + Self.longestService }
        var records: UInt32 = 0
        tell(runner)
        // Where it does not take the call, it is gone or about to be given up.
        _ = runner.send(.call(call))
        while true {
            if let cancelledAt { limit = min(limit ?? .max, cancelledAt + Self.stopTime) }
            if let abandoned = login?.dialogue.limit { limit = min(limit ?? .max, abandoned + CallTime.patience) }
            let wake = [
                cancelledAt == nil ? services.gate.cancelDescriptor : -1, login?.dialogue.answered.number ?? -1,
            ]
            switch runner.next(until: limit, wake: wake) {
            case .message(.returned(let outcome)):
                guard outcome.code != METER_OK else { return outcome }
                throw .failed(
                    AdapterFailure(code: outcome.code, message: outcome.message, retryAfter: outcome.retryAfter))
            case .message(let message):
                let begin = Clock.monotonic()
                try handle(message, runner, during: call, listener, &records)
                // What the host takes for itself is not the adapter's time.
                if let known = limit, let last { limit = min(last, known + (Clock.monotonic() - begin)) }
            case .woken: tell(runner)
            case .deadline:
                let time = call == .login ? "the time it has once nobody answers" : "its deadline and 2 s"
                throw ended(runner.kill(because: .deadline(within: time)), during: call)
            case .ended(let end): throw ended(end, during: call)
            }
        }
    }

    /// Tells the runner once that the instance is to stop; and what a person has said.
    private mutating func tell(_ runner: RunnerProcess) {
        if cancelledAt == nil, services.gate.isCancelled {
            cancelledAt = Clock.monotonic()
            runner.hurry()
            _ = runner.send(.cancel)
            login?.dialogue.cancel()
        }
        login?.dialogue.answered.silence()
        guard let serial = login?.asked, let reply = login?.dialogue.takeReply() else { return }
        login?.asked = nil
        _ = runner.send(.answer(serial: serial, code: reply.code, bytes: reply.answer))
    }

    private mutating func ended(_ end: RunnerEnd, during call: AdapterCall?) -> HostingError {
        runner = nil
        cancelledAt = nil
        return .ended(end.words(in: call?.name))
    }

    // MARK: What the runner says

    /// - Parameter records: that have come in this call.
    private mutating func handle(
        _ message: RunnerMessage, _ runner: RunnerProcess, during call: AdapterCall?, _ listener: CallListener,
        _ records: inout UInt32
    ) throws(HostingError) {
        do throws(Frame.Violation) {
            switch message {
            case .reading(let payload):
                _ = try unsafe ReadingCoding.read(payload) { reading in unsafe services.emit(reading) }
            case .record(let payload):
                guard case .history(let request)? = call, records < request.maxRecords else {
                    throw Frame.Violation(reason: "a record that nobody has asked for")
                }
                records += 1
                let answer = try unsafe ReadingCoding.read(payload) { record in unsafe listener.put(record) }
                if answer != METER_SINK_CONTINUE { _ = runner.send(.enough(deadline: request.deadline)) }
            case .dropped(let invalid, let busy, let reason):
                services.port.note(invalid: Int(invalid), busy: Int(busy), reason: reason)
            case .log(let level, let message): services.log(level, message)
            case .condition(let code, _, let message): services.condition(code, message)
            case .ask(let serial, .prompt(let prompt)):
                // Answered when the person has: until then the adapter goes on saying what it has to say.
                if let dialogue = login?.dialogue, dialogue.ask(prompt) {
                    login?.asked = serial
                } else {
                    _ = runner.send(.answer(serial: serial, code: METER_CANCELLED, bytes: []))
                }
            case .ask(let serial, let question):
                let answer = answer(question)
                _ = runner.send(.answer(serial: serial, code: answer.code, bytes: answer.bytes))
            case .ready, .described, .refused, .loaded, .returned:
                throw Frame.Violation(reason: "a message out of turn")
            }
        } catch {
            throw ended(runner.kill(because: .violation(error.reason)), during: call)
        }
    }

    private func answer(_ question: RunnerQuestion) -> (code: Int32, bytes: [UInt8]) {
        switch question {
        case .spend(let requests): return (services.spend(requests), [])
        case .state(let key):
            guard let key = String(validating: key, as: UTF8.self) else { return (METER_INVALID, []) }
            switch services.state(key) {
            case .value(let value): return (METER_OK, value)
            case .notFound: return (METER_NOT_FOUND, [])
            case .invalid: return (METER_INVALID, [])
            }
        case .setState(let key, let value):
            guard let key = String(validating: key, as: UTF8.self) else { return (METER_INVALID, []) }
            return (services.setState(key, value), [])
        case .prompt: return (METER_CANCELLED, [])
        }
    }
}
