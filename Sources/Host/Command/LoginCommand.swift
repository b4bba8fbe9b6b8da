import AdapterABI
import Adapters
import Configuration
import Observability
import Platform
import Readings
import Storage

/// `smart-meter login`: an adapter gets its credentials, and a person answers what it asks.
enum LoginCommand {
    /// Says that nobody can answer.
    static let unattended = "--unattended"

    static func run(
        _ settings: Settings, _ words: [String], instance: String?, isAttended: Bool, console: Terminal
    ) -> Int32 {
        guard isAttended, let person = PersonAtTerminal() else {
            let words = isAttended ? words + [unattended] : words
            return ControlClient.run(words, socketPath: settings.controlSocket, console: console)
                ?? unattended(settings, instance, console)
        }
        return ControlClient.run(words, socketPath: settings.controlSocket, console: console, person: person)
            ?? alone(settings, instance, console, person)
    }

    /// Says what it came to, and answers the exit status. The words are the adapter's.
    static func succeeded(_ found: String, _ instance: InstanceIdentity, _ console: some Console) -> Int32 {
        let words = TerminalText.lines(found)
        console.print("\(instance.name): \(words.isEmpty ? "logged in" : words)")
        return SmartMeter.ExitStatus.ok
    }

    /// As `succeeded`.
    static func failed(_ failure: AdapterFailure, _ instance: InstanceIdentity, _ console: some Console) -> Int32 {
        let words = TerminalText.line(failure.message)
        console.complain("smart-meter: login of \(instance.name): \(failure.word): \(words)")
        return failure.needsPerson ? SmartMeter.ExitStatus.configuration : SmartMeter.ExitStatus.unavailable
    }

    /// Whether there is anything to ask; else it was complained about.
    static func mayLogIn(_ adapter: AdapterDescription, _ identity: InstanceIdentity, _ console: some Console) -> Bool {
        guard !adapter.canLogIn else { return true }
        let names = variables(adapter, identity)
        let hint = names.isEmpty ? "" : "; its settings are \(names.joined(separator: ", "))"
        console.complain("smart-meter: \(identity.name) has no login\(hint)")
        return false
    }

    // MARK: Where no host runs

    private static func alone(
        _ settings: Settings, _ name: String?, _ console: Terminal, _ person: PersonAtTerminal
    ) -> Int32 {
        withInstance(settings, name, console) { (instance, log) throws(SystemError) in
            do {
                // What happens is told in its own words.
                log.configure(level: .error, format: .text)
                let store = try LoneStore(settings, log)
                defer { store.close() }
                let (state, memory) = try store.memory(of: instance.identity)
                let running = try instance.prepare(
                    settings.host, board: LiveBoard(), state: state, memory: memory, log: log)
                return try logIn(running, person, log, console)
            } catch {
                return LoneStore.complain(error, console)
            }
        }
    }

    private static func logIn(
        _ running: RunningAdapter, _ person: PersonAtTerminal, _ log: Log, _ console: Terminal
    ) throws(SystemError) -> Int32 {
        let dialogue = try LoginDialogue(log: log, isAll: true)
        running.logIn(dialogue)
        try running.start()
        defer {
            running.stop()
            _ = running.join(until: Clock.monotonic() + 3 * Duration.second)
        }
        while person.wait(for: dialogue.descriptor) {
            switch dialogue.takeNews() {
            case .question(let prompt):
                switch person.ask(prompt.question, isEchoed: prompt.isEchoed, or: dialogue.descriptor) {
                case .answer(let answer): dialogue.answer(answer)
                case .somethingElse: break
                case .givenUp: return person.hasGivenUp(console)
                }
            case .found(let found): return succeeded(found, running.identity, console)
            case .failed(let failure): return failed(failure, running.identity, console)
            case nil: break
            }
        }
        return person.hasGivenUp(console)
    }

    // MARK: Without a terminal

    private static func unattended(_ settings: Settings, _ name: String?, _ console: Terminal) -> Int32 {
        withInstance(settings, name, console) { (instance, _) throws(SystemError) in
            isUnattended(instance.adapter.description, instance.identity, console)
        }
    }

    /// Says what to do where nobody can answer, and answers the exit status.
    static func isUnattended(
        _ adapter: AdapterDescription, _ identity: InstanceIdentity, _ console: some Console
    ) -> Int32 {
        let names = variables(adapter, identity).joined(separator: ", ")
        console.complain(
            "smart-meter: standard input is no terminal, so nobody can be asked: "
                + "set what \(identity.name) needs instead (\(names)), or run this on a terminal")
        return SmartMeter.ExitStatus.usage
    }

    /// The variables of its secrets; of all its settings where it has none.
    private static func variables(_ adapter: AdapterDescription, _ identity: InstanceIdentity) -> [String] {
        let secrets = adapter.settings.filter { $0.kind.isSecret }
        return (secrets.isEmpty ? adapter.settings : secrets).map {
            AdapterSettingResolver.variable($0.name, of: identity)
        }
    }

    private static func withInstance(
        _ settings: Settings, _ name: String?, _ console: Terminal,
        _ body: (LoneInstance, Log) throws(SystemError) -> Int32
    ) -> Int32 {
        do {
            let log = try Log(level: .warning)
            log.register(secrets: settings.secrets)
            return try CommandAdapters.with(settings, log) { (catalog) throws(SystemError) in
                let (instance, status) = LoneInstance.find(name, settings, catalog, console)
                guard let instance else { return status }
                log.register(secrets: instance.settings.secrets)
                guard mayLogIn(instance.adapter.description, instance.identity, console) else {
                    return SmartMeter.ExitStatus.usage
                }
                return try body(instance, log)
            }
        } catch {
            console.complain("smart-meter: \(error)")
            return SmartMeter.ExitStatus.failed
        }
    }
}
