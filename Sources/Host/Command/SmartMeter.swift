import Adapters
import Configuration
import Glibc
import Readings

/// The program: chooses the command and answers its exit status.
enum SmartMeter {
    /// As sysexits.h has them.
    enum ExitStatus {
        static let ok: Int32 = 0
        static let failed: Int32 = 1
        static let usage: Int32 = 64
        static let unavailable: Int32 = 69
        static let cannotCreate: Int32 = 73
        static let configuration: Int32 = 78
        /// As a shell has it after Ctrl-C.
        static let interrupted: Int32 = 130
    }

    static func main(_ words: [String]) -> Int32 {
        let terminal = Terminal()
        let verb: Verb
        do throws(UsageError) {
            verb = try Arguments.parse(words)
        } catch {
            terminal.complain("smart-meter: \(error.message)")
            return ExitStatus.usage
        }
        switch verb {
        case .help(let help):
            terminal.print(help?.page ?? Usage.text)
            return ExitStatus.ok
        case .version:
            terminal.print("smart-meter \(HostVersion.text)")
            return ExitStatus.ok
        case .settingsTable:
            terminal.print(SettingTables.markdown())
            return ExitStatus.ok
        case .run: return RunCommand.run(terminal)
        case .adapterRunner(let parent): return AdapterRunner.run(parent: parent)
        case .checkChild(let parent): return CheckChild.run(parent: parent)
        case .check(let request): return CheckCommand.run(request, console: terminal)
        case .checkList(let isMarkdown):
            terminal.print(isMarkdown ? CheckCommand.table() : CheckCommand.list())
            return ExitStatus.ok
        case .adapters(let json):
            return withSettings(terminal) { AdaptersCommand.run($0, json: json, console: terminal) }
        // What is wrong is what it is asked for.
        case .config(let json): return ConfigCommand.run(.read(), json: json, console: terminal)
        case .newAdapter(let name, let language, let directory):
            // Whatever the settings of a host that may run here say.
            return NewAdapterCommand.run(
                name: name, language: language, directory: directory, settings: .read(), console: terminal)
        case .read(let type, let json):
            return withSettings(terminal) { settings in
                ControlClient.run(words, socketPath: settings.controlSocket, console: terminal)
                    ?? ReadCommand.run(settings, type: type, json: json, console: terminal)
            }
        case .login(let instance, let isAttended):
            return withSettings(terminal) {
                LoginCommand.run($0, words, instance: instance, isAttended: isAttended, console: terminal)
            }
        case .backfill:
            return withSettings(terminal) { settings in
                if let status = ControlClient.run(words, socketPath: settings.controlSocket, console: terminal) {
                    return status
                }
                terminal.complain(
                    "smart-meter: no host runs on DATA_DIR \(settings.dataDirectory); start it, it fills gaps by itself"
                )
                return ExitStatus.unavailable
            }
        case .outbox(let verb, let json):
            return withSettings(terminal) { settings in
                ControlClient.run(words, socketPath: settings.controlSocket, console: terminal)
                    ?? OutboxCommand(settings.host, in: settings.zone).run(verb, json: json, console: terminal)
            }
        }
    }

    /// Complains about every wrong setting at once.
    private static func withSettings(_ console: some Console, _ body: (Settings) -> Int32) -> Int32 {
        let settings = Settings.read()
        guard settings.problems.isEmpty else {
            for problem in settings.problems { console.complain("smart-meter: \(problem)") }
            return ExitStatus.configuration
        }
        return body(settings)
    }
}
