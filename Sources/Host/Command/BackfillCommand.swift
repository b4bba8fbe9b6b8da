import Adapters
import Observability
import Pipeline
import Platform
import Readings

/// `smart-meter backfill`: asks a meter's own log for a span, whatever was answered before, and shows how far it is.
struct BackfillCommand {
    let pipeline: Pipeline
    let instance: InstanceIdentity
    let running: RunningAdapter
    let console: ControlConsole

    /// The host asks in portions between reads: it may take a while, but something has to happen.
    private static let patience = 2 * Duration.minute
    private static let look = 100 * Duration.millisecond

    /// - Parameter span: without a beginning it is as far back as the log reaches.
    func run(_ span: TimeText.Span) -> Int32 {
        guard running.asksHistory else {
            console.complain("smart-meter: \(instance.name) has no history to ask for")
            return SmartMeter.ExitStatus.usage
        }
        let before = pipeline.view(of: running.number)?.repair?.filled ?? 0
        let begun = pipeline.view(of: running.number)?.repair?.looks ?? 0
        pipeline.wantHistory(of: running.number, from: span.from, to: min(span.to ?? .now, .now))
        running.fillGaps()
        var most = 0
        var last: RepairProgress?
        var lastChange = Clock.monotonic()
        while Clock.monotonic() < lastChange + Self.patience {
            // Nothing is said there meanwhile: what can be read is the end.
            if Poll.readable(console.descriptor, until: Clock.monotonic() + Self.look) { return gone() }
            guard let progress = pipeline.view(of: running.number)?.repair, progress.looks > begun else { continue }
            if progress != last {
                last = progress
                lastChange = Clock.monotonic()
                most = max(most, progress.missing)
                guard console.progress(Self.bar(most - progress.missing, of: most)) else { return gone() }
            }
            if progress.missing > 0, let resumes = running.status.historyResumes, resumes > .now {
                console.complain(
                    "smart-meter: \(instance.name): the day's ration of requests leaves nothing for history now; "
                        + "it goes on by itself at \(Timestamp.text(Instant(seconds: resumes.seconds)))")
                return SmartMeter.ExitStatus.unavailable
            }
            guard progress.missing == 0 else { continue }
            console.print("\(progress.filled - before) slots of \(instance.name) were filled")
            if let retryAt = progress.retryAt {
                console.print("the meter has more to say at \(Timestamp.text(retryAt)): it is asked again then")
            }
            return SmartMeter.ExitStatus.ok
        }
        let error = running.status.historyError.map { ": \($0)" } ?? ""
        let minutes = Self.patience / Duration.minute
        console.complain("smart-meter: \(instance.name) has given nothing for \(minutes) minutes\(error)")
        return SmartMeter.ExitStatus.unavailable
    }

    /// Whoever asked does not want it any more.
    private func gone() -> Int32 {
        pipeline.unwantHistory(of: running.number)
        return SmartMeter.ExitStatus.interrupted
    }

    private static func bar(_ done: Int, of all: Int) -> String {
        let width = 40
        let part = all > 0 ? done * width / all : width
        let bar = String(repeating: "#", count: part) + String(repeating: "-", count: width - part)
        return "[\(bar)] \(done) of \(all) slots"
    }
}
