import Analysis
import Observability
import Platform
import Readings
import Storage

/// What the pipeline's thread owns: the store, the instances, and the plan of the next commit. A plan that fails stays,
/// grows and is tried again.
struct PipelineWork {
    private let store: Store
    private var options: PipelineOptions
    private let intake: Intake<Emission>
    private var instances: [Int: InstanceWork] = [:]
    /// Instances that something came for since the last turn.
    private var touched: Set<Int> = []
    private var plan = CommitPlan()
    private var replies: [Reply<Bool>] = []
    private var settled: [@Sendable () -> Void] = []
    /// Something that must not wait for the next regular commit.
    private var isUrgent = false
    private var lastCommit: Int64 = 0
    private var retryAt: Int64?
    private var failures = 0
    private var nextPrune: Int64 = 0
    private var heldBytes = 0
    private(set) var alerts = RecentAlerts()
    /// Emissions that were looked at, since the start.
    private(set) var taken = 0
    private(set) var status = StoreStatus()
    private var gate: ClockGate
    private var watches = InstanceWatches()
    /// What a clock that is set does not show.
    private let notBefore: Instant
    /// Whether the clock can be trusted.
    private let isSynchronised: () -> Bool
    /// The newest slot of the start, and when that was by the monotonic clock.
    private let proven: (wall: Instant, monotonic: Int64)

    /// A commit at most this often, where nothing is urgent: an SD card's life.
    private static let commitInterval = 10 * Duration.second
    private static let pruneInterval = 10 * Duration.minute
    /// Emissions kept in memory while the store takes none.
    private static let heldLimit = 16 << 20

    init(
        store: Store, options: PipelineOptions, intake: Intake<Emission>, wall: Instant, monotonic: Int64,
        isSynchronised: @escaping () -> Bool
    ) throws(StorageError) {
        self.store = store
        self.options = options
        self.intake = intake
        self.isSynchronised = isSynchronised
        let newest = try store.newestSlotEnd()
        proven = (newest ?? wall, monotonic)
        // A clock that is synchronised knows better than slots which an earlier, wrong one has made.
        notBefore = isSynchronised() ? options.releasedAt : max(options.releasedAt, newest ?? options.releasedAt)
        gate = ClockGate(notBefore: notBefore, wall: wall, monotonic: monotonic)
        if gate.deadline != nil {
            options.log.write(
                .warning, "the clock is not set: readings wait for it, two minutes at most",
                [LogField("shows_before", Timestamp.text(notBefore))])
        }
        noteClock(wall)
        noteDropped()
    }

    func view(of instance: Int) -> InstanceView? { instances[instance]?.view }

    /// What may have changed with this turn, and is to be seen: each is handed out once.
    mutating func takeViews() -> [(instance: Int, view: InstanceView)] {
        defer { touched = [] }
        return touched.compactMap { number in instances[number].map { (number, $0.view) } }
    }

    /// Monotonic ns of what comes next; nil = nothing but messages.
    func nextWake(monotonic: Int64, wall: Instant) -> Int64? {
        var next = retryAt
        func consider(_ deadline: Int64?) {
            if let deadline { next = min(next ?? deadline, deadline) }
        }
        if retryAt == nil, !plan.isEmpty { consider(lastCommit + Self.commitInterval) }
        consider(nextPrune)
        consider(gate.deadline)
        if gate.deadline == nil { consider(watches.due) }
        for instance in instances.values {
            consider(instance.nextWake.map { monotonic + max(0, $0 - wall) })
        }
        return next
    }

    // MARK: Messages

    /// Emissions first: a state never becomes durable before what was emitted before it. Answers whether to end.
    mutating func take(_ messages: [PipelineMessage], wall: Instant, monotonic: Int64) -> Bool {
        noteClock(wall)
        takeEmissions(wall: wall, monotonic: monotonic)
        var isLast = false
        for message in messages {
            switch message {
            case .register(let registration, let reply):
                reply.give(register(registration, monotonic: monotonic, wall: wall))
            case .adopt(let new):
                options.adopt(new)
                for number in instances.keys { instances[number]?.adopt(options) }
            case .report(let reports):
                watches.take(reports)
                for number in instances.keys { instances[number]?.take(reports) }
            case .setState(let record, let reply):
                plan.states.append(record)
                replies.append(reply)
                isUrgent = true
            case .note(let record):
                plan.states.removeAll { $0.instance == record.instance && $0.key == record.key }
                plan.states.append(record)
            case .settle(let settlement, let done):
                plan.settlements.append(settlement)
                settled.append(done)
                isUrgent = true
            case .wish(let number, let reply): reply.give(wish(number, now: wall))
            case .history(let number, let question, let answer, let reply):
                takeHistory(number, question, answer, reply, now: wall)
            case .want(let number, let from, let to): want(number, from, to, now: wall)
            case .unwant(let number):
                instances[number]?.repair?.unwant(plan: &plan)
                isUrgent = true
            case .operate(let operation, let reply):
                do throws(StorageError) {
                    reply.give(.success(try operation(store)))
                } catch {
                    reply.give(.failure(error))
                }
                noteDropped()
                isUrgent = true
            case .stop: isLast = true
            }
        }
        watch(wall: wall, monotonic: monotonic)
        return isLast
    }

    /// Silence and failing adapters; not before it is clear what time it is.
    private mutating func watch(wall: Instant, monotonic: Int64) {
        guard gate.deadline == nil else { return }
        let moment = InstanceWatch.Moment(wall: wall, monotonic: monotonic)
        if watches.judge(at: moment, plan: &plan, store: store, log: options.log) { isUrgent = true }
    }

    private mutating func register(
        _ registration: InstanceRegistration, monotonic: Int64, wall: Instant
    ) -> Result<InstanceSeed, StorageError> {
        do throws(StorageError) {
            let number = try store.number(of: registration.identity)
            if instances[number] != nil, !plan.isEmpty {
                // It is made anew from the store, which has to have everything by then.
                try commit(monotonic: monotonic, wall: wall)
                succeeded(monotonic: monotonic)
            }
            let circuits = try store.circuits(of: number)
            let state = try store.state(of: number)
            alerts.take(try store.openAlerts(of: number))
            instances[number] = try InstanceWork(
                number: number, registration: registration, circuits: circuits, state: state, store: store,
                options: options)
            touched.insert(number)
            try watches.begin(
                number, registration, at: InstanceWatch.Moment(wall: wall, monotonic: monotonic), store: store)
            return .success(InstanceSeed(number: number, circuits: circuits, state: state))
        } catch {
            return .failure(error)
        }
    }

    private mutating func wish(_ number: Int, now: Instant) -> HistoryWish {
        defer { touched.insert(number) }
        do throws(StorageError) {
            let wish = try instances[number]?.wish(now: now, plan: &plan, store: store, options: options)
            // What was repaired reaches the slots behind it page by page, and what is shown of it is not taken back.
            let hasMoved = plan.states.contains { $0.instance == number && $0.key == InstanceRepair.shiftKey }
            if !plan.slots.isEmpty || hasMoved { isUrgent = true }
            return wish ?? .nothing(until: nil)
        } catch {
            options.log.write(.warning, "gaps not looked for", [LogField("error", error.message)])
            return .nothing(until: now + Duration.minute)
        }
    }

    private mutating func want(_ number: Int, _ from: Instant?, _ to: Instant, now: Instant) {
        do throws(StorageError) {
            try instances[number]?.repair?.want(from: from, to: to, now: now, plan: &plan, store: store)
            isUrgent = true
        } catch {
            options.log.write(.warning, "gaps not looked for", [LogField("error", error.message)])
        }
    }

    private mutating func takeHistory(
        _ number: Int, _ question: HistoryQuestion, _ answer: HistoryAnswer, _ reply: Reply<Bool>, now: Instant
    ) {
        touched.insert(number)
        do throws(StorageError) {
            try instances[number]?.take(
                answer, to: question, now: now, plan: &plan, store: store, options: options)
            replies.append(reply)
            isUrgent = true
        } catch {
            options.log.write(.warning, "gap not filled", [LogField("error", error.message)])
            reply.give(false)
        }
    }

    private mutating func takeEmissions(wall: Instant, monotonic: Int64) {
        let moment = InstanceWatch.Moment(wall: wall, monotonic: monotonic)
        for emission in passed(intake.take(), wall: wall, monotonic: monotonic) {
            taken += 1
            guard instances[emission.instance] != nil else { continue }
            touched.insert(emission.instance)
            if watches.hear(emission, at: moment, plan: &plan, log: options.log) { isUrgent = true }
            if instances[emission.instance]?.take(emission, plan: &plan, options: options) == true { isUrgent = true }
            heldBytes += Self.size(of: emission)
        }
        guard heldBytes > Self.heldLimit else { return }
        // The newest are worth the most.
        while heldBytes > Self.heldLimit, let oldest = plan.emissions.first {
            plan.emissions.removeFirst()
            heldBytes -= Self.size(of: oldest)
            status.lost += 1
            status.lostSince = status.lostSince ?? wall
        }
    }

    private mutating func passed(_ emissions: [Emission], wall: Instant, monotonic: Int64) -> [Emission] {
        guard gate.deadline != nil else { return emissions }
        let passed = gate.pass(emissions, wall: wall, monotonic: monotonic)
        if gate.deadline == nil {
            let event =
                wall < notBefore
                ? "the clock was not set in time: readings are taken as they are stamped" : "the clock has been set"
            options.log.write(.warning, event, [LogField("held", passed.count)])
        }
        return passed
    }

    private static func size(of emission: Emission) -> Int { 256 + emission.circuits.count * 72 }

    /// A store that cannot be read now keeps the figures of before.
    private mutating func noteDropped() {
        status.droppedByOperator = (try? store.droppedSlots()) ?? status.droppedByOperator
        status.expired = (try? store.expiredSlots()) ?? status.expired
    }

    // MARK: Time

    private mutating func noteClock(_ wall: Instant) {
        status.clockIsBefore = wall < notBefore ? notBefore : nil
    }

    /// Where slots lie in the future of a clock that can be trusted.
    mutating func rewind(now: Instant) {
        guard gate.deadline == nil, instances.values.contains(where: { $0.line.isAhead(of: now) }), isSynchronised()
        else {
            return
        }
        for number in instances.keys where instances[number]?.line.isAhead(of: now) == true {
            instances[number]?.rewind(to: now, plan: &plan, options: options)
            touched.insert(number)
            isUrgent = true
        }
    }

    /// Closes slots and judges nights, where something has come or is due.
    mutating func advance(now: Instant) {
        for (number, instance) in instances where instance.nextWake.map({ $0 <= now }) ?? false {
            touched.insert(number)
        }
        for number in touched {
            if instances[number]?.advance(now: now, plan: &plan, store: store, options: options) == true {
                isUrgent = true
            }
        }
    }

    /// True where something was committed.
    mutating func commitIfDue(monotonic: Int64, wall: Instant, isLast: Bool) -> Bool {
        defer { prune(monotonic: monotonic, wall: wall) }
        guard !plan.isEmpty else {
            // There was nothing to make durable.
            for reply in replies { reply.give(true) }
            replies = []
            return isUrgent.taken()
        }
        let isDue = isUrgent || isLast || monotonic - lastCommit >= Self.commitInterval
        guard isDue, isLast || retryAt.map({ $0 <= monotonic }) ?? true else { return false }
        do throws(StorageError) {
            try commit(monotonic: monotonic, wall: wall)
            succeeded(monotonic: monotonic)
            return true
        } catch {
            failed(error, monotonic: monotonic, wall: wall)
            return false
        }
    }

    /// On a full disk the reserve is given up for what is new, and what is old goes.
    private mutating func commit(monotonic: Int64, wall: Instant) throws(StorageError) {
        do {
            try store.commit(plan)
        } catch  where error.mayLackRoom && store.reserve.giveUp() {
            options.log.write(
                .error, "store gave up its reserve", [LogField("error", error.message), LogField("todo", error.advice)])
            status.reserveGoneSince = status.reserveGoneSince ?? wall
            nextPrune = monotonic
            try store.commit(plan)
        }
    }

    private mutating func succeeded(monotonic: Int64) {
        alerts.take(plan.alerts)
        plan = CommitPlan()
        heldBytes = 0
        isUrgent = false
        lastCommit = monotonic
        retryAt = nil
        failures = 0
        for reply in replies { reply.give(true) }
        for done in settled { done() }
        replies = []
        settled = []
        if let problem = status.problem {
            options.log.write(.info, "store recovered", [LogField("problem", problem), LogField("held", status.held)])
        }
        status.problem = nil
        status.since = nil
        status.held = 0
    }

    private mutating func failed(_ error: StorageError, monotonic: Int64, wall: Instant) {
        failures += 1
        retryAt = monotonic + min(30, 1 << min(failures - 1, 5)) * Duration.second
        // Who waits for durability learns that it was not reached; the value goes with the next commit all the same.
        for reply in replies { reply.give(false) }
        replies = []
        if status.problem != error.message {
            options.log.write(
                .error, "store failed", [LogField("error", error.message), LogField("todo", error.advice)])
        }
        status.problem = error.message
        status.advice = error.advice
        if error.kind == .corrupt { status.isDamaged = true }
        status.since = status.since ?? wall
        status.held = plan.emissions.count
    }

    private mutating func prune(monotonic: Int64, wall: Instant) {
        guard monotonic >= nextPrune, status.problem == nil else { return }
        nextPrune = monotonic + Self.pruneInterval
        defer { status.reserveGoneSince = store.reserve.make() ? nil : status.reserveGoneSince ?? wall }
        // A clock that starts years ahead must not make everything old: without a source that says it is right, time goes
        // on from the newest slot of the start.
        let possible = proven.wall + (monotonic - proven.monotonic) + Duration.day
        let now = isSynchronised() ? wall : min(wall, possible)
        do throws(StorageError) {
            let pruned = try store.prune(
                delivered: now - options.history, undelivered: now - options.undelivered,
                deliveryIsOn: options.deliveryIsOn)
            if pruned.undelivered > 0 {
                status.prunedUndelivered += pruned.undelivered
                status.prunedUndeliveredSince = status.prunedUndeliveredSince ?? wall
                options.log.write(.error, "slots gave up undelivered", [LogField("count", pruned.undelivered)])
                noteDropped()
            }
            // A full step says that there is more.
            if pruned.delivered + pruned.undelivered >= 2000 { nextPrune = monotonic + Duration.second }
        } catch {
            options.log.write(.warning, "pruning failed", [LogField("error", error.message)])
        }
    }
}

extension Bool {
    /// Its value; false from now on.
    fileprivate mutating func taken() -> Bool {
        defer { self = false }
        return self
    }
}
