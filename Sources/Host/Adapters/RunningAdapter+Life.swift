import AdapterABI
import Observability
import Platform
import Readings
import Synchronization

// What an instance's thread does, from its start to its end.
extension RunningAdapter {
    /// Lives; and where its process has ended by itself, lives again.
    func run(_ hosting: consuming some AdapterHosting) {
        var hosting = hosting
        var restarts = Restarts()
        while !requests.isStopping, !isAbandoned {
            if requests.isPaused {
                waitForResume()
                continue
            }
            let begin = Clock.monotonic()
            do throws(HostingError) {
                try live(&hosting, isRestart: restarts.count > 0)
                letGo(&hosting)
            } catch {
                services.close()
                if requests.isStopping {
                    sayLast(error)
                    break
                }
                let pause = restarts.pause(afterLife: Clock.monotonic() - begin, random: random())
                note(end: error.words, restarts, pause: pause)
                guard waitForRestart(until: Clock.monotonic() + pause, &hosting) else { break }
            }
        }
        letGo(&hosting)
        services.settleRation()
        set(.stopped)
        if let dialogue = login.withLock({ $0 }) { refuse(dialogue, METER_CANCELLED, "it has stopped") }
    }

    private func letGo(_ hosting: inout some AdapterHosting) {
        guard !isAbandoned else { return }
        do throws(HostingError) { try hosting.destroy() } catch { sayLast(error) }
    }

    /// It was to end anyway.
    private func sayLast(_ error: HostingError) {
        log.warning(
            "adapter did not end well", LogField("instance", identity.name), LogField("reason", error.words))
    }

    /// From create to stop, as often as it takes; returns where the instance is to end.
    private func live(_ hosting: inout some AdapterHosting, isRestart: Bool) throws(HostingError) {
        services.renew()
        var starts = Agenda(schedule, lastAttempt: nil, uncleanEnd: false, now: .now)
        var gaps: GapAgenda?
        while true {
            let turn = try waitForTurn(&starts, &gaps, &hosting)
            if case .over = turn { break }
            do throws(HostingError) {
                try startInstance(&hosting)
            } catch {
                guard case .failed(let failure) = error else { throw error }
                if case .login(let dialogue) = turn, try logIn(dialogue, insteadOf: failure, &hosting) {
                    starts.retry(.now)
                    continue
                }
                if requests.isInterrupted { break }
                note(starts.fail(explained(failure), random: random(), .now), failures: starts.failures)
                continue
            }
            if case .login(let dialogue) = turn { _ = try logIn(dialogue, isStarted: true, &hosting) }
            if isRestart { log.info("adapter restarted", LogField("instance", identity.name)) }
            switch plan.adapter.description.delivery {
            case .pull: try sample(&hosting)
            case .push: try idle(&hosting)
            }
            try stopInstance(&hosting)
            break
        }
    }

    private func startInstance(_ hosting: inout some AdapterHosting) throws(HostingError) {
        try hosting.create()
        services.open()
        // Renewing has forgotten a cancellation that came a moment before.
        if requests.isInterrupted { services.cancel() }
        do throws(HostingError) {
            try hosting.start()
        } catch {
            services.close()
            throw error
        }
    }

    private func stopInstance(_ hosting: inout some AdapterHosting) throws(HostingError) {
        guard !isAbandoned else { return }
        services.cancel()
        try hosting.stop()
        services.close()
    }

    /// Reads on schedule, until the instance is to stop or to pause.
    private func sample(_ hosting: inout some AdapterHosting) throws(HostingError) {
        let lastAttempt = services.stateValue(StateKey.lastAttempt).flatMap(Self.instant)
        var agenda = Agenda(schedule, lastAttempt: lastAttempt, uncleanEnd: plan.uncleanEnd, now: .now)
        var gaps: GapAgenda?
        var isSlow = false
        while true {
            switch try waitForTurn(&agenda, &gaps, &hosting) {
            case .over: return
            case .login(let dialogue):
                if try logIn(dialogue, isStarted: true, &hosting) { agenda.retry(.now) }
                continue
            case .due: break
            }
            agenda.begin(.now)
            services.noteRead()
            services.note(StateKey.lastAttempt, Self.bytes(.now))
            do throws(HostingError) {
                try read(&hosting)
                agenda.succeed(.now, pace: pace(&isSlow))
                // A meter that answers can be asked for what was missed.
                if asksHistory, gaps == nil { gaps = GapAgenda(now: Clock.monotonic()) }
            } catch {
                guard case .failed(let failure) = error else { throw error }
                if requests.isInterrupted { return }
                note(
                    agenda.fail(explained(failure), random: random(), pace: pace(&isSlow), .now),
                    failures: agenda.failures)
                gaps = nil
            }
        }
    }

    /// Says when it goes on, where the day's ration is used up.
    private func explained(_ failure: AdapterFailure) -> AdapterFailure {
        failure.code == METER_RATIONED ? services.shortage(for: .live, at: .now) ?? failure : failure
    }

    /// Ns that reads have to lie apart for the day's ration to last; said where that is news.
    private func pace(_ isSlow: inout Bool) -> Int64 {
        let now = Instant.now
        let pace = services.pace(at: now)
        let isScarce = pace / 5 * 2 > services.plannedSampling(at: now)
        state.withLock { $0.scarceSince = isScarce ? $0.scarceSince ?? now : nil }
        let wasSlow = isSlow
        isSlow = pace > schedule.sampling + schedule.sampling / 10
        guard isSlow != wasSlow else { return pace }
        log.info(
            isSlow ? "read less often: the day's ration of requests has to last" : "read as often as wanted again",
            LogField("instance", identity.name), LogField("requests_left", services.rationLeft(at: now) ?? 0),
            LogField("seconds", Double(max(pace, schedule.sampling) / 1_000_000) / 1000))
        return pace
    }

    /// A push adapter emits by itself, until the instance is to stop or to pause.
    private func idle(_ hosting: inout some AdapterHosting) throws(HostingError) {
        set(.running)
        var gaps = asksHistory ? GapAgenda(now: Clock.monotonic()) : nil
        while true {
            switch try wait(until: gaps?.due, &hosting) {
            case .stop, .pause: return
            case .gaps: gaps?.lookNow(Clock.monotonic())
            case .login(let dialogue): _ = try logIn(dialogue, isStarted: true, &hosting)
            case .due:
                guard var due = gaps else { break }
                try fillGap(&due, before: nil, &hosting)
                gaps = due
            case .readNow, .retry, .clock: break
            }
        }
    }

    private func read(_ hosting: inout some AdapterHosting) throws(HostingError) {
        let before = services.port.counts
        let begin = Clock.monotonic()
        defer { state.withLock { $0.readDurations.add(Clock.monotonic() - begin) } }
        try hosting.read(until: begin + schedule.readTime)
        do throws(AdapterFailure) { try Self.check(before, services.port.counts) } catch { throw .failed(error) }
        let isRecovery = state.withLock { status in
            status.attempts += 1
            status.lastSuccess = .now
            status.lastReadDuration = Clock.monotonic() - begin
            let isRecovery = status.consecutiveFailures > 0
            status.consecutiveFailures = 0
            return isRecovery
        }
        set(.running)
        if isRecovery { log.info("adapter recovered", LogField("instance", identity.name)) }
    }

    /// A read that says it went well has to have given a reading.
    private static func check(
        _ before: EmissionPort.Counts, _ after: EmissionPort.Counts
    ) throws(AdapterFailure) {
        guard after.accepted == before.accepted else { return }
        if after.busy > before.busy {
            throw AdapterFailure(code: METER_FAILED, message: "the host's queue is full: the reading is lost")
        }
        if after.invalid > before.invalid {
            throw AdapterFailure(code: METER_BAD_DATA, message: "the reading breaks a rule; the log says which")
        }
        throw AdapterFailure(code: METER_NO_DATA, message: "the read gave no reading")
    }

    // MARK: Waiting

    /// What an instance waits for.
    private enum Turn {
        /// The agenda's next attempt is due.
        case due
        case login(LoginDialogue)
        /// It is to stop or to pause.
        case over
    }

    /// Waits for what comes next, and fills gaps meanwhile.
    private func waitForTurn(
        _ agenda: inout Agenda, _ gaps: inout GapAgenda?, _ hosting: inout some AdapterHosting
    ) throws(HostingError) -> Turn {
        while true {
            let next = agenda.nextRun(.now)
            state.withLock { $0.nextRun = next }
            let gap = gaps?.due ?? .max
            switch try wait(until: agenda.due.map { min($0, gap) } ?? gaps?.due, &hosting) {
            case .due:
                if let due = agenda.due, due <= Clock.monotonic() { return .due }
                guard var filling = gaps else { break }
                try fillGap(&filling, before: agenda.due, &hosting)
                gaps = filling
            case .gaps: gaps?.lookNow(Clock.monotonic())
            case .login(let dialogue): return .login(dialogue)
            case .stop, .pause: return .over
            case .readNow: agenda.bringForward(.now)
            case .retry: agenda.retry(.now)
            case .clock: agenda.clockChanged(.now)
            }
        }
    }

    private func wait(
        until deadline: Int64?, _ hosting: inout some AdapterHosting
    ) throws(HostingError) -> InstanceRequests.Wake {
        try requests.wait(until: deadline) { (deadline, bell) throws(HostingError) in
            try hosting.idle(until: deadline, bell)
        }
    }

    /// False where the instance is to stop.
    private func waitForRestart(until deadline: Int64, _ hosting: inout some AdapterHosting) -> Bool {
        while true {
            // Nothing runs that could end.
            switch requests.wait(until: deadline, { (deadline, bell) throws(Never) in bell.wait(until: deadline) }) {
            case .due, .retry, .pause: return true
            case .stop: return false
            case .login(let dialogue): refuse(dialogue, METER_UNAVAILABLE, "it is being restarted: try again")
            case .readNow, .gaps, .clock: break
            }
        }
    }

    var isAbandoned: Bool {
        if case .abandoned = state.withLock({ $0.state }) { return true }
        return false
    }

    // MARK: Status

    /// - Parameter pause: until the restart, in ns.
    private func note(end reason: String, _ restarts: Restarts, pause: Int64) {
        let consecutive = state.withLock { $0.consecutiveFailures } + 1
        note(error: reason, consecutive: consecutive)
        state.withLock { $0.nextRun = .now + pause }
        set(.restarting(restarts.words(reason)))
        log.error(
            "adapter crashed", LogField("instance", identity.name), LogField("reason", reason),
            LogField("crashes", restarts.count), LogField("retry_seconds", Double(pause / 1_000_000) / 1000))
    }

    static func bytes(_ instant: Instant) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(instant.nanoseconds)
        return writer.bytes
    }

    private static func instant(_ bytes: [UInt8]) -> Instant? {
        var reader = ByteReader(bytes)
        return reader.read(Int64.self).map(Instant.init(nanoseconds:))
    }
}

extension Instant {
    static var now: Instant { Instant(nanoseconds: Clock.wall()) }
}

extension HostingError {
    fileprivate var words: String {
        switch self {
        case .failed(let failure): failure.message
        case .ended(let how): how
        }
    }
}
