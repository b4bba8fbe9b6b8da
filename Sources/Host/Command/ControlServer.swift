import Adapters
import Configuration
import Delivery
import Observability
import Pipeline
import Platform
import Readings
import Storage
import Synchronization

/// Answers operators' commands on the running host. Main accepts; each command has a thread of its own, a few at once.
final class ControlServer: Sendable {
    private let house: House
    /// As they were at the start: what delivery goes by.
    private let settings: HostSettings
    private let log: Log
    private let running = Atomic<Int>(0)

    private static let most = 4
    private static let patience = 20 * Duration.second

    init(house: House, settings: HostSettings, log: Log) {
        self.house = house
        self.settings = settings
        self.log = log
    }

    /// Takes a connection over.
    func serve(_ connection: consuming FileDescriptor) {
        let descriptor = connection.release()
        guard running.add(1, ordering: .relaxed).newValue <= Self.most,
            (try? Thread(name: "control", body: { [self] in run(descriptor) })) != nil
        else {
            running.subtract(1, ordering: .relaxed)
            let console = ControlConsole(descriptor: descriptor)
            console.complain("smart-meter: the host is busy with other commands; try again")
            console.finish(status: UInt8(SmartMeter.ExitStatus.unavailable))
            _ = FileDescriptor(owning: descriptor)
            return
        }
    }

    private func run(_ number: Int32) {
        let descriptor = FileDescriptor(owning: number)
        defer { running.subtract(1, ordering: .relaxed) }
        let request = ControlProtocol.receive(
            from: descriptor.number, until: Clock.monotonic() + 5 * Duration.second)
        guard let request, request.frame == .request else { return }
        let console = ControlConsole(descriptor: descriptor.number)
        let status: Int32
        do throws(UsageError) {
            status = answer(try Arguments.parse(ControlProtocol.decode(request.bytes)), console)
        } catch {
            console.complain("smart-meter: \(error.message)")
            status = SmartMeter.ExitStatus.usage
        }
        console.finish(status: UInt8(clamping: status))
    }

    private func answer(_ verb: Verb, _ console: ControlConsole) -> Int32 {
        switch verb {
        case .read(let type, let json): return read(type, json: json, console)
        case .login(let instance, let isAttended): return login(instance, isAttended: isAttended, console)
        case .backfill(let instance, let from, let to): return backfill(instance, from, to, console)
        case .outbox(let verb, let json):
            let pipeline = house.pipeline
            var status = house.delivery?.currentStatus
            if let answer = status?.lastAnswer { status?.lastAnswer = log.redacted(answer) }
            let command = OutboxCommand(settings, in: house.zone.zone, status: status) { operation in
                pipeline.operate(operation, until: Clock.monotonic() + Duration.minute)
            }
            return command.run(verb, json: json, console: console)
        default:
            console.complain("smart-meter: this command does not go through the running host")
            return SmartMeter.ExitStatus.usage
        }
    }

    private func backfill(_ name: String?, _ from: String?, _ to: String?, _ console: ControlConsole) -> Int32 {
        guard let entry = entry(named: name, console), let running = entry.running else {
            return SmartMeter.ExitStatus.usage
        }
        guard let span = TimeText.span(from, to, in: house.zone.zone, console) else {
            return SmartMeter.ExitStatus.usage
        }
        return BackfillCommand(
            pipeline: house.pipeline, instance: entry.plan.identity, running: running, console: console
        ).run(span)
    }

    /// The instance of that name, or the house; nil = it was complained about.
    private func entry(named name: String?, _ console: ControlConsole) -> Instances.Entry? {
        let entries = house.instances.all
        let wanted = entries.first { name == nil ? $0.plan.isHouse : $0.plan.identity.name == name }
        if let wanted, wanted.running != nil { return wanted }
        if let wanted, let reason = wanted.status.state.reason {
            console.complain("smart-meter: \(wanted.plan.identity.name): \(log.redacted(reason))")
            return nil
        }
        let names = entries.map(\.plan.identity.name).joined(separator: ", ")
        console.complain("smart-meter: '\(name ?? "")' does not run here; these are configured: \(names)")
        return nil
    }

    /// For as long as the person is there.
    private func login(_ name: String?, isAttended: Bool, _ console: ControlConsole) -> Int32 {
        guard let entry = entry(named: name, console), let running = entry.running else {
            return SmartMeter.ExitStatus.usage
        }
        let identity = entry.plan.identity
        if let adapter = entry.plan.adapter?.adapter.description {
            guard LoginCommand.mayLogIn(adapter, identity, console) else { return SmartMeter.ExitStatus.usage }
            guard isAttended else { return LoginCommand.isUnattended(adapter, identity, console) }
        }
        guard let dialogue = try? LoginDialogue(log: log) else { return SmartMeter.ExitStatus.failed }
        running.logIn(dialogue)
        while true {
            guard Poll.firstReadable(dialogue.descriptor, console.descriptor, until: nil) == dialogue.descriptor else {
                // An answer, or the end of a person's patience.
                let frame = ControlProtocol.receive(
                    from: console.descriptor, until: Clock.monotonic() + 5 * Duration.second)
                guard let frame, frame.frame == .answer else {
                    dialogue.cancel()
                    return SmartMeter.ExitStatus.failed
                }
                dialogue.answer(frame.bytes)
                continue
            }
            switch dialogue.takeNews() {
            case .question(let prompt): console.ask(prompt)
            case .found(let found): return LoginCommand.succeeded(found, identity, console)
            case .failed(let failure): return LoginCommand.failed(failure, identity, console)
            case nil: break
            }
        }
    }

    /// A reading taken now, as soon as the adapter's minimum allows.
    private func read(_ type: String?, json: Bool, _ console: ControlConsole) -> Int32 {
        guard let entry = entry(named: type, console), let running = entry.running else {
            return SmartMeter.ExitStatus.usage
        }
        let asked = Instant.now
        running.readNow()
        let deadline = Clock.monotonic() + Self.patience
        while Clock.monotonic() < deadline {
            if let emission = house.board.newest(of: running.number), emission.timestamp >= asked {
                let identity = entry.plan.identity
                console.print(json ? ReadingText.json(emission, identity) : ReadingText.text(emission, identity))
                return SmartMeter.ExitStatus.ok
            }
            let status = running.status
            if let error = status.lastError, let at = status.lastErrorAt, at >= asked {
                console.complain("smart-meter: \(entry.plan.identity.name): \(log.redacted(error))")
                return SmartMeter.ExitStatus.unavailable
            }
            switch status.state {
            case .needsPerson(let reason):
                console.complain("smart-meter: \(entry.plan.identity.name) needs attention: \(log.redacted(reason))")
                return SmartMeter.ExitStatus.configuration
            case .needsLogin(let reason):
                let command = InstanceState.loginCommand(entry.plan.identity)
                console.complain("smart-meter: \(entry.plan.identity.name): \(log.redacted(reason)); run: \(command)")
                return SmartMeter.ExitStatus.configuration
            default: break
            }
            // The board rings for nobody; an operator's command may look a few times.
            _ = Poll.readable(-1, until: Clock.monotonic() + 20 * Duration.millisecond)
        }
        console.complain("smart-meter: no reading within \(Self.patience / Duration.second) s")
        return SmartMeter.ExitStatus.unavailable
    }
}
