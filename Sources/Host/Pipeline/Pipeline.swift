import Analysis
package import Platform
package import Readings
package import Storage
import Synchronization

/// The one way of an emission to the disk: drain, fold, analyse, commit. Its thread owns the only connection that
/// writes; everybody else asks it through messages.
package final class Pipeline: Sendable {
    /// Where adapters' emissions come in.
    package let intake: Intake<Emission>
    private let doorbell: Doorbell
    private let messages: Mailbox<PipelineMessage>
    private let options: PipelineOptions
    private let thread = Mutex<Thread?>(nil)
    private let views = Mutex<[Int: InstanceView]>([:])
    private let storeStatus = Mutex(StoreStatus())
    private let alerts = Mutex(RecentAlerts())
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)
    /// Rung after each commit that leaves something to send.
    private let committed: @Sendable () -> Void

    /// Circuits of emissions that may wait, of an instance.
    package static let laneSamples = 4096
    private static let allSamples = 32768

    package init(options: PipelineOptions, committed: @escaping @Sendable () -> Void) throws(SystemError) {
        self.options = options
        self.committed = committed
        doorbell = try Doorbell()
        intake = Intake(laneLimit: Self.laneSamples, totalLimit: Self.allSamples, doorbell: doorbell)
        messages = Mailbox(doorbell: doorbell)
    }

    /// Opens the store and begins. Throws where the store cannot be opened.
    package func start() throws {
        let opened = try Reply<Result<Void, StorageError>>()
        let started = try Thread(name: "pipeline", stackBytes: 512 * 1024) { [self] in
            run(opened)
        }
        thread.withLock { $0 = started }
        guard let outcome = opened.wait(until: nil) else { return }
        try outcome.get()
    }

    /// Makes an instance known, before its first emission.
    package func register(_ registration: InstanceRegistration) throws -> InstanceSeed {
        let reply = try Reply<Result<InstanceSeed, StorageError>>()
        messages.post(.register(registration, reply))
        guard let outcome = reply.wait(until: nil) else {
            throw StorageError(.other, "the pipeline has ended")
        }
        return try outcome.get()
    }

    /// Takes over what of changed options may change while it runs.
    package func adopt(_ options: PipelineOptions) { messages.post(.adopt(options)) }

    /// How all instances do; an instance that is not named is not there any more.
    package func report(_ reports: [InstanceReport]) { messages.post(.report(reports)) }

    /// Stores a small value; true once it is durable, after everything that was emitted before.
    package func setState(_ record: StateRecord, until deadline: Int64?) -> Bool {
        guard let reply = try? Reply<Bool>() else { return false }
        messages.post(.setState(record, reply))
        return reply.wait(until: deadline) ?? false
    }

    /// Stores a small value with the next commit.
    package func note(_ record: StateRecord) {
        messages.post(.note(record))
    }

    /// What the destination has answered for. `done` is called once it is durable.
    package func settle(_ settlement: Settlement, done: @escaping @Sendable () -> Void) {
        messages.post(.settle(settlement, done))
    }

    /// Runs an operator's command on the store. Nil where the pipeline does not answer in time.
    package func operate(
        _ operation: @escaping @Sendable (Store) throws(StorageError) -> Int, until deadline: Int64?
    ) -> Result<Int, StorageError>? {
        guard let reply = try? Reply<Result<Int, StorageError>>() else { return nil }
        messages.post(.operate(operation, reply))
        return reply.wait(until: deadline)
    }

    // MARK: Gaps

    /// What to ask an instance's log next; nil where the pipeline does not answer in time.
    package func historyWish(of instance: Int, until deadline: Int64?) -> HistoryWish? {
        guard let reply = try? Reply<HistoryWish>() else { return nil }
        messages.post(.wish(instance, reply))
        return reply.wait(until: deadline)
    }

    /// What the log has told; true once it is durable.
    package func take(
        _ answer: HistoryAnswer, to question: HistoryQuestion, of instance: Int, until deadline: Int64?
    ) -> Bool {
        guard let reply = try? Reply<Bool>() else { return false }
        messages.post(.history(instance, question, answer, reply))
        return reply.wait(until: deadline) ?? false
    }

    /// A person wants a span to be asked for, whatever was answered before.
    /// - Parameter from: nil = as far back as the log reaches; where that is not known, the first reading.
    package func wantHistory(of instance: Int, from: Instant?, to: Instant) {
        messages.post(.want(instance, from: from, to: to))
    }

    /// That person has gone: what nobody else wants is not asked for any more.
    package func unwantHistory(of instance: Int) { messages.post(.unwant(instance)) }

    /// The wall clock was set: what waits for a time waits anew.
    package func clockChanged() { doorbell.ring() }

    /// Commits what is there and ends. False where it has not ended by the deadline.
    package func stop(until deadline: Int64) -> Bool {
        messages.post(.stop)
        return thread.withLock { $0 }?.join(until: deadline) ?? true
    }

    package func view(of instance: Int) -> InstanceView? { views.withLock { $0[instance] } }
    /// `ring` is called after the views have taken emissions in, on the pipeline's thread; nil = no more.
    package func listen(_ ring: (@Sendable () -> Void)?) { listener.withLock { $0 = ring } }

    /// Alerts that go on, and those that ended last; committed.
    package var recentAlerts: [AlertRecord] { alerts.withLock { $0.all } }
    package var status: StoreStatus { storeStatus.withLock { $0 } }

    // MARK: The pipeline's thread

    private func run(_ opened: Reply<Result<Void, StorageError>>) {
        let store: Store
        var work: PipelineWork
        do throws(StorageError) {
            let result = try Store.open(in: options.directory)
            store = result.store
            store.prices = options.tariff.map { PriceList(tariff: $0, zone: options.zone) }
            store.tellsAlerts = options.tellsAlerts
            storeStatus.withLock { $0.setAside = result.setAside }
            work = try PipelineWork(
                store: store, options: options, intake: intake, wall: .now, monotonic: Clock.monotonic(),
                isSynchronised: Clock.isSynchronised)
        } catch {
            opened.give(.failure(error))
            return
        }
        opened.give(.success(()))
        var told = 0
        while true {
            doorbell.wait(until: work.nextWake(monotonic: Clock.monotonic(), wall: .now))
            work.rewind(now: .now)
            let isLast = work.take(messages.take(), wall: .now, monotonic: Clock.monotonic())
            work.advance(now: .now)
            let hasCommitted = work.commitIfDue(monotonic: Clock.monotonic(), wall: .now, isLast: isLast)
            publish(&work)
            if work.taken != told { listener.withLock { $0 }?() }
            told = work.taken
            if hasCommitted { committed() }
            if isLast { return }
        }
    }

    private func publish(_ work: inout PipelineWork) {
        let changed = work.takeViews()
        views.withLock { views in
            for (instance, view) in changed { views[instance] = view }
        }
        alerts.withLock { $0 = work.alerts }
        storeStatus.withLock { status in
            let setAside = status.setAside
            status = work.status
            status.setAside = setAside
        }
    }
}

/// What the pipeline's thread is asked.
enum PipelineMessage: Sendable {
    case register(InstanceRegistration, Reply<Result<InstanceSeed, StorageError>>)
    case adopt(PipelineOptions)
    case report([InstanceReport])
    case setState(StateRecord, Reply<Bool>)
    case note(StateRecord)
    case settle(Settlement, @Sendable () -> Void)
    case wish(Int, Reply<HistoryWish>)
    case history(Int, HistoryQuestion, HistoryAnswer, Reply<Bool>)
    case want(Int, from: Instant?, to: Instant)
    case unwant(Int)
    case operate(@Sendable (Store) throws(StorageError) -> Int, Reply<Result<Int, StorageError>>)
    case stop
}

extension Instant {
    static var now: Instant { Instant(nanoseconds: Clock.wall()) }
}
