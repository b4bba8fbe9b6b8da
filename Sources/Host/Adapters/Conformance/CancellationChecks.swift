import AdapterABI
import Platform
import Readings

/// Whether a call comes back when the host wants to stop. The meter hangs meanwhile.
enum CancellationChecks {
    private static let allowed = Duration.second
    private static let beforeCancel = 150 * Duration.millisecond

    static let table: [ConformanceCheck] = [
        ConformanceCheck(
            "cancel-start", .cancellation, "A start that is cancelled returns within a second", limitSeconds: 6
        ) { (bench) throws(Finding) in
            let instance = try bench.instance(.hanging)
            try bench.orSkip("create") { () throws(AdapterFailure) in try instance.create() }
            let time = try cancelled(instance) { try? instance.start(within: 15 * Duration.second) }
            try? instance.read(within: Duration.second)
            instance.stop()
            instance.destroy()
            try judge(time, "start")
        },
        ConformanceCheck("cancel-read", .cancellation, "A read that is cancelled returns within a second", lane: 1) {
            (bench) throws(Finding) in
            guard try bench.adapter().description.delivery == .pull else {
                throw .skipped("a push adapter has no read")
            }
            let instance = try bench.started()
            instance.network.set(.hanging)
            let time = try cancelled(instance) { try? instance.read(within: 15 * Duration.second) }
            instance.stop()
            instance.destroy()
            try judge(time, "read")
        },
        ConformanceCheck(
            "cancel-history", .cancellation, "A history that is cancelled returns within a second", lane: 1
        ) {
            (bench) throws(Finding) in
            let description = try bench.adapter().description
            guard description.historyStep > 0 else { throw .skipped("it has no history") }
            let instance = try bench.startedForHistory()
            instance.network.set(.hanging)
            let step = description.historyStep
            let to = Clock.wall() / step * step
            let time = try cancelled(instance) {
                _ = try? instance.history(from: to - 20 * step, to: to, step: step)
            }
            instance.stop()
            instance.destroy()
            try judge(time, "history")
        },
        ConformanceCheck("cancel-stop", .cancellation, "stop returns within a second, whatever the meter does") {
            (bench) throws(Finding) in
            let instance = try bench.started()
            try? instance.read()
            instance.network.set(.hanging)
            CheckedInstance.pause(beforeCancel)
            let begin = Clock.monotonic()
            instance.stop()
            let time = Clock.monotonic() - begin
            instance.destroy()
            guard time > allowed else { return }
            throw .failed(
                "stop took \(time / Duration.millisecond) ms", expected: "at most 1,000 ms",
                advice: "wake the threads that are to be joined; they watch cancel_fd")
        },
    ]

    /// Nanoseconds from the cancellation to the return of the call.
    private static func cancelled(_ instance: CheckedInstance, _ call: () -> Void) throws(Finding) -> Int64 {
        let cancelsAt = Clock.monotonic() + beforeCancel
        do throws(SystemError) {
            let canceller = try Thread(name: "canceller") {
                CheckedInstance.pause(beforeCancel)
                instance.services.gate.cancel()
            }
            call()
            let returned = Clock.monotonic()
            canceller.join()
            return max(0, returned - cancelsAt)
        } catch {
            throw .skipped("\(error)")
        }
    }

    private static func judge(_ time: Int64, _ call: String) throws(Finding) {
        guard time > allowed else { return }
        throw .failed(
            "\(call) returned \(time / Duration.millisecond) ms after it was cancelled", expected: "at most 1,000 ms",
            advice: "poll cancel_fd beside whatever is waited for; let no other call block for more than 500 ms")
    }
}
