import API
import Adapters
import Analysis
import CLinux
import Configuration
import Delivery
import Glibc
import Observability
import Pipeline
import Platform
import Readings
import Storage

/// `smart-meter run`: who is wired to whom, and in which order it begins and ends.
enum RunCommand {
    static func run(_ terminal: Terminal) -> Int32 {
        let settings = Settings.read()
        guard settings.problems.isEmpty else {
            for problem in settings.problems { terminal.complain("smart-meter: \(problem)") }
            return SmartMeter.ExitStatus.configuration
        }
        let zone: SystemZone
        do throws(ZoneError) {
            zone = try Zone.system(tz: settings.host.timeZone)
        } catch {
            terminal.complain("smart-meter: TZ: \(error)")
            return SmartMeter.ExitStatus.configuration
        }
        do {
            var host = try Host(settings, zone)
            switch try host.run() {
            case .stopped(let status): return status
            case .startAnew: return startAnew(terminal)
            }
        } catch let error as StorageError {
            terminal.complain("smart-meter: \(error.message); \(error.advice)")
            return error.kind == .busy ? SmartMeter.ExitStatus.unavailable : SmartMeter.ExitStatus.configuration
        } catch {
            terminal.complain("smart-meter: \(error)")
            return SmartMeter.ExitStatus.unavailable
        }
    }

    /// The same program with the same words in this process: whoever started it sees nothing of it. Returns only where
    /// that fails.
    private static func startAnew(_ terminal: Terminal) -> Int32 {
        unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
        terminal.complain("smart-meter: cannot start anew: \(SystemError.text(errno))")
        return SmartMeter.ExitStatus.failed
    }
}
