import Analysis
import Observability
import Platform
import Readings
import Storage
import TestSupport

@testable import Delivery

/// A store, a delivery loop on it, and the pipeline's part.
final class DeliveryRig {
    static let noon = Instant(seconds: 1_780_315_200)

    let store: Store
    private let reader: Reader
    let loop: DeliveryLoop
    let instance: Int
    private let folder: TemporaryDirectory
    private let pipeline: TestPipeline

    init(
        url: String, api: InfluxAPI? = .v2, batchLines: Int = 5000,
        credentials: @escaping @Sendable () -> InfluxCredentials = {
            InfluxCredentials(token: "secret", username: nil, password: nil)
        }
    ) throws {
        folder = try TemporaryDirectory("delivery")
        let directory = try DataDirectory(locking: folder.path)
        store = try Store.open(in: directory).0
        pipeline = TestPipeline(store: store)
        reader = try Reader(directory: directory)
        instance = try store.number(of: InstanceIdentity(meterType: "mock"))
        let target = InfluxTarget(url: url, organisation: "home", bucket: "smart_meter_data", api: api, caFile: "")
        var options = DeliveryLoop.Options(target: target, tags: [("site", "a b")], credentials: credentials)
        options.batchLines = batchLines
        options.answerTime = 400 * Duration.millisecond
        options.longestPause = 50 * Duration.millisecond
        options.slowPause = 50 * Duration.millisecond
        options.random = { 1 }
        loop = try DeliveryLoop(
            options: options, directory: directory,
            settle: pipeline.intake,
            log: try Log(level: .error, descriptor: -1))
    }

    deinit {
        loop.stop()
        _ = loop.join(until: Clock.monotonic() + 5 * Duration.second)
    }

    /// Slots of the house at one-minute ends after noon; the power is the index.
    func add(_ indices: Range<Int>, change: (inout Slot) -> Void = { _ in }) throws {
        var plan = CommitPlan()
        for index in indices {
            let end = Self.noon + Int64(index) * Duration.minute
            var slot = Slot(instance: instance, start: end - Duration.minute, end: end, isHouse: true, totalIs: .grid)
            slot.totalPowerW = Double(index)
            slot.coverage = 1
            slot.quality = .measured
            change(&slot)
            plan.slots.append(slot)
        }
        try store.commit(plan)
        loop.wake()
    }

    /// The house's circuits, for slots that name them by number.
    func addCircuits(_ count: Int32) throws {
        var plan = CommitPlan()
        plan.circuits = (0..<count).map { number in
            CircuitRecord(
                instance: instance, number: number, identity: CircuitIdentity(id: "\(number)", name: "C\(number)"),
                shownName: "C\(number)")
        }
        try store.commit(plan)
    }

    func settle() throws { try pipeline.settle() }

    func wait(_ what: String, within seconds: Double = 10, _ condition: () throws -> Bool) throws {
        try pipeline.wait(what, within: seconds, condition)
    }

    /// Until everything is delivered or rejected.
    func drain() throws {
        try wait("all delivered") { [self] in
            loop.currentStatus.state == .idle && loop.currentStatus.lastSuccess != nil
        }
    }

    func waitingSlots() throws -> Int { try reader.backlog().slots }
    func rejected() throws -> [RejectedLine] { try reader.rejectedLines(limit: 100) }
}
