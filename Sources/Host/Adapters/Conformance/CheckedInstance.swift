import AdapterABI
import Configuration
import Platform
import Readings
import Synchronization

/// An instance of the adapter that is being checked, driven as the host drives it, from any thread, one call at a time.
final class CheckedInstance: Sendable {
    let services: CheckServices
    let network: CheckNetwork
    private let context: HostContext
    /// Copied out for a call: no lock is held while the adapter runs.
    private let hosting: Mutex<InProcessHosting>
    private let line: CheckLine
    private let isPush: Bool
    /// Between a start that succeeded and stop.
    private let isRunning = Atomic<Bool>(false)
    /// Nanoseconds between two reads of a real meter, and when the last one was.
    private let minimum: Int64
    private let lastRead = Atomic<Int64>(0)
    /// Whether it has had the time for a reading.
    private let hasBeenRead = Atomic<Bool>(false)
    /// A call that has no deadline of its own in the interface.
    static let patience = 5 * Duration.second
    private static let brief = 50 * Duration.millisecond
    /// In which a push adapter that asks something of the host's HTTP has done so.
    private static let timeToAsk = Duration.second

    init(
        _ adapter: HostedAdapter, settings: [String: String], services: CheckServices, network: CheckNetwork,
        shape: HostShape = HostShape(), asksWhy: Bool = true, line: CheckLine, mostPause: Int64
    ) {
        minimum = min(adapter.description.minimumSampling, mostPause)
        self.services = services
        self.network = network
        self.line = line
        isPush = adapter.description.delivery == .push
        context = HostContext(
            instance: adapter.description.meterType, settings: settings,
            declared: adapter.description.settings.map(\.name), gate: services.gate, services: services,
            transport: network, shape: shape)
        hosting = Mutex(InProcessHosting(adapter: adapter, context: context, asksWhy: asksWhy))
    }

    func create() throws(AdapterFailure) {
        try call("create()") { (hosting) throws(HostingError) in try hosting.create() }
    }

    /// - Parameter time: nanoseconds that it has.
    func start(within time: Int64 = patience) throws(AdapterFailure) {
        services.noteStart()
        services.gate.open()
        do throws(AdapterFailure) {
            try call("start()") { (hosting) throws(HostingError) in
                try hosting.start(until: Clock.monotonic() + time)
            }
        } catch {
            services.gate.close()
            throw error
        }
        isRunning.store(true, ordering: .releasing)
    }

    /// Where it is a push adapter, waits for its next reading instead. A real meter is asked no more often than it allows.
    func read(within time: Int64 = patience) throws(AdapterFailure) {
        guard isRunning.load(ordering: .acquiring) else {
            throw AdapterFailure(code: METER_CANCELLED, message: "it is not running")
        }
        guard isPush else {
            if network.isReal { Self.pause(lastRead.load(ordering: .acquiring) + minimum - Clock.monotonic()) }
            defer {
                lastRead.store(Clock.monotonic(), ordering: .releasing)
                hasBeenRead.store(true, ordering: .releasing)
            }
            return try call("read()") { (hosting) throws(HostingError) in
                try hosting.read(until: Clock.monotonic() + time)
            }
        }
        let before = services.seen.emits
        let deadline = Clock.monotonic() + time
        while services.seen.emits == before, Clock.monotonic() < deadline {
            if let condition = services.seen.condition, condition.code != METER_OK {
                throw AdapterFailure(code: condition.code, message: condition.message)
            }
            guard !services.gate.isCancelled else {
                throw AdapterFailure(code: METER_CANCELLED, message: "it was cancelled")
            }
            Self.pause(5 * Duration.millisecond)
        }
        if services.seen.emits > before || time >= Self.timeToAsk { hasBeenRead.store(true, ordering: .releasing) }
        guard services.seen.emits > before else {
            throw AdapterFailure(code: METER_TIMEOUT, message: "no reading came within \(time / Duration.second) s")
        }
    }

    /// Whether it was read and has asked nothing of the host's HTTP: what that does is nothing to it.
    var ignoresHTTP: Bool { hasBeenRead.load(ordering: .acquiring) && network.requests == 0 }

    /// Nothing where it is not running.
    func stop() {
        guard isRunning.exchange(false, ordering: .acquiringAndReleasing) else { return }
        services.gate.cancel()
        try? call("stop()") { (hosting) throws(HostingError) in hosting.stop() }
        services.noteStop()
        services.gate.close()
    }

    func destroy() {
        end()
        context.retire()
    }

    /// As `destroy`, and the same host can be given to the next instance.
    private func end() {
        try? call("destroy()") { (hosting) throws(HostingError) in hosting.destroy() }
    }

    func history(
        from: Int64, to: Int64, step: Int64, most: UInt32 = 1000, stopAfter: Int = .max, within time: Int64 = patience
    ) throws(AdapterFailure) -> SeenHistory {
        let sink = HistorySink(services, stopAfter: stopAfter)
        let request = HistoryRequest(
            from: from, to: to, step: step, maxRecords: most, deadline: Clock.monotonic() + time)
        let answer = try call("history()") { (hosting) throws(HostingError) in
            try unsafe hosting.history(request) { unsafe sink.put($0) }
        }
        return SeenHistory(
            records: sink.records, refusals: sink.refusals, putsAfterStop: sink.putsAfterStop, answer: answer)
    }

    /// From create to destroy with a read in between; what fails on the way is no matter.
    /// - Parameters:
    ///   - isLast: whether nothing will follow; else it lives again.
    ///   - isBrief: whether it is one of many lives: nothing is waited for that need not come.
    ///   - time: nanoseconds that a reading has; one of a brief life's push adapter has less.
    func live(reads: Int = 1, isLast: Bool = true, isBrief: Bool = false, within time: Int64 = Duration.second) {
        guard (try? create()) != nil else { return }
        if (try? start(within: isBrief ? Duration.second : Self.patience)) != nil {
            let time = isBrief && isPush ? Self.brief : time
            for _ in 0..<reads { try? read(within: time) }
            stop()
        }
        if isLast { destroy() } else { end() }
        services.gate.renew()
    }

    /// Nothing rings for what a check waits for.
    static func pause(_ time: Int64) { _ = Poll.readable(-1, until: Clock.monotonic() + time) }

    private func call<Value: Sendable>(
        _ name: String, _ body: (inout InProcessHosting) throws(HostingError) -> Value
    ) throws(AdapterFailure) -> Value {
        line.say(.call(name))
        var current = hosting.withLock { $0 }
        defer { hosting.withLock { $0 = current } }
        do throws(HostingError) {
            return try body(&current)
        } catch {
            switch error {
            case .failed(let failure):
                services.keep(failure.message)
                throw failure
            case .ended(let how): throw AdapterFailure(code: METER_FAILED, message: how)
            }
        }
    }
}

/// What a call of `meter.history/1` gave.
struct SeenHistory: Sendable {
    var records: [SeenReading]
    /// Records that the host does not take.
    var refusals: [String]
    var putsAfterStop: Int
    var answer: HistoryAnswer
}

private final class HistorySink {
    private(set) var records: [SeenReading] = []
    private(set) var refusals: [String] = []
    private(set) var putsAfterStop = 0
    private let services: CheckServices
    private let stopAfter: Int
    private static let most = 20_000

    init(_ services: CheckServices, stopAfter: Int) {
        self.services = services
        self.stopAfter = stopAfter
    }

    func put(_ record: UnsafePointer<meter_reading>) -> Int32 {
        guard records.count < min(stopAfter, Self.most) else {
            putsAfterStop += 1
            return METER_SINK_STOP
        }
        switch unsafe services.look(at: record) {
        case .success(let reading): records.append(reading)
        case .failure(let refusal): refusals.append(refusal.reason)
        }
        return records.count < stopAfter ? METER_SINK_CONTINUE : METER_SINK_STOP
    }
}
