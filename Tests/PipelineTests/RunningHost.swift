import Platform
import Readings
import Testing

@testable import Analysis
@testable import Observability
@testable import Pipeline
@testable import Storage

/// The work of the pipeline's thread, with the time that a test says.
struct RunningHost {
    let instance: Int
    private let intake: Intake<Emission>
    private let lane: Intake<Emission>.Lane
    private var work: PipelineWork
    private let kernel: Kernel

    /// What it says of its clock.
    private final class Kernel {
        var isSynchronised: Bool
        init(_ isSynchronised: Bool) { self.isSynchronised = isSynchronised }
    }

    var isSynchronised: Bool {
        get { kernel.isSynchronised }
        nonmutating set { kernel.isSynchronised = newValue }
    }

    /// - Parameters:
    ///   - interval: length of a slot; `late`, how late an emission may still change it; in nanoseconds.
    ///   - history: days for which slots are kept; `undelivered`, those that were not delivered.
    init(
        directory: DataDirectory, zone: Zone, at wall: Instant, interval: Int64 = 300 * Duration.second,
        late: Int64 = 30 * Duration.second, deliveryIsOn: Bool = false, history: Int64 = 400,
        undelivered: Int64 = 400, log: HistoryLimits? = nil, phantomThresholdW: Double = 100_000,
        highThresholdW: Double = 100_000, tellsAlerts: Bool = false, clockIsSynchronised: Bool = false
    ) throws {
        kernel = Kernel(clockIsSynchronised)
        intake = Intake(laneLimit: 4096, totalLimit: 32_768, doorbell: try Doorbell())
        lane = intake.makeLane()
        let options = PipelineOptions(
            directory: directory, zone: zone, deliveryIsOn: deliveryIsOn, history: history * Duration.day,
            undelivered: undelivered * Duration.day,
            high: HighConsumption.Rules(thresholdW: highThresholdW, hold: 0, clear: 0),
            phantomThresholdW: phantomThresholdW,
            phantomExclude: [], log: try Log(level: .error))
        let (store, _) = try Store.open(in: directory)
        store.tellsAlerts = tellsAlerts
        work = try PipelineWork(
            store: store, options: options, intake: intake, wall: wall, monotonic: wall.nanoseconds,
            isSynchronised: { [kernel] in kernel.isSynchronised })
        let reply = try Reply<Result<InstanceSeed, StorageError>>()
        let registration = InstanceRegistration(
            identity: InstanceIdentity(meterType: "test"), sampling: interval, interval: interval, late: late,
            isHouse: true, maximumPowerW: 100_000,
            history: log)
        _ = work.take([.register(registration, reply)], wall: wall, monotonic: wall.nanoseconds)
        instance = try #require(reply.wait(until: nil)).get().number
    }

    func emit(_ emission: Emission) { _ = lane.post(emission, weight: 1) }

    /// One turn of the thread; time on both clocks.
    mutating func turn(wall: Instant, isLast: Bool = false) {
        work.rewind(now: wall)
        _ = work.take([], wall: wall, monotonic: wall.nanoseconds)
        work.advance(now: wall)
        _ = work.commitIfDue(monotonic: wall.nanoseconds, wall: wall, isLast: isLast)
    }

    /// How the instance does, as main says; nil = it is not there any more.
    mutating func report(_ condition: InstanceReport.Condition?, isHouse: Bool = true, wall: Instant) {
        let identity = InstanceIdentity(meterType: "test")
        let interval = 300 * Duration.second
        let reports = condition.map {
            [
                InstanceReport(
                    identity: identity, condition: $0, isHouse: isHouse, interval: interval, sampling: interval)
            ]
        }
        _ = work.take([.report(reports ?? [])], wall: wall, monotonic: wall.nanoseconds)
        turn(wall: wall)
    }

    /// Monotonic ns; here the wall clock's.
    func nextWake(wall: Instant) -> Int64? { work.nextWake(monotonic: wall.nanoseconds, wall: wall) }

    var status: StoreStatus { work.status }

    /// What the destination has answered for.
    mutating func settle(_ settlement: Settlement, wall: Instant) {
        _ = work.take([.settle(settlement, {})], wall: wall, monotonic: wall.nanoseconds)
        _ = work.commitIfDue(monotonic: wall.nanoseconds, wall: wall, isLast: false)
    }

    /// What to ask the log next; nil = nothing now.
    mutating func question(wall: Instant) throws -> HistoryQuestion? {
        turn(wall: wall)
        let reply = try Reply<HistoryWish>()
        _ = work.take([.wish(instance, reply)], wall: wall, monotonic: wall.nanoseconds)
        turn(wall: wall)
        guard case .ask(let question) = try #require(reply.wait(until: nil)) else { return nil }
        return question
    }

    mutating func answer(_ answer: HistoryAnswer, to question: HistoryQuestion, wall: Instant) throws {
        let reply = try Reply<Bool>()
        _ = work.take([.history(instance, question, answer, reply)], wall: wall, monotonic: wall.nanoseconds)
        turn(wall: wall)
        #expect(reply.wait(until: nil) == true)
    }

    mutating func want(from: Instant?, to: Instant, wall: Instant) {
        _ = work.take([.want(instance, from: from, to: to)], wall: wall, monotonic: wall.nanoseconds)
        turn(wall: wall)
    }

    mutating func unwant(wall: Instant) {
        _ = work.take([.unwant(instance)], wall: wall, monotonic: wall.nanoseconds)
        turn(wall: wall)
    }

    var view: InstanceView? { work.view(of: instance) }

    mutating func stop(wall: Instant) { turn(wall: wall, isLast: true) }
}
