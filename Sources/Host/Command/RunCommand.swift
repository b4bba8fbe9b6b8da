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
            return try host.run()
        } catch let error as StorageError {
            terminal.complain("smart-meter: \(error.message); \(error.advice)")
            return error.kind == .busy ? SmartMeter.ExitStatus.unavailable : SmartMeter.ExitStatus.configuration
        } catch {
            terminal.complain("smart-meter: \(error)")
            return SmartMeter.ExitStatus.unavailable
        }
    }
}
