import AdapterKit
import Glibc

/// The work of the adapter's thread: keeps a connection to the broker, hands its messages to the household, and what
/// the household has to say to the host.
struct Listener {
    private let host: AdapterHost
    private let preferences: Preferences
    private let exchange: Exchange
    private let clientID: String
    private var household: Household
    private var storedMains: String?
    private var storedLogKeepers: Set<String>
    /// Monotonic.
    private var rememberedAt: Int64 = 0
    private var condition: String?
    /// Seconds until the next try to connect.
    private var pause = shortestPause
    /// Whether the log has the connection: one that ends again and again is told once.
    private var hasToldConnection = false
    /// The question that a device is being asked for the host.
    private var pending: (request: Int, ticket: Int)?

    private static let shortestPause = 1.0
    private static let longestPause = 30.0
    /// A connection that has lasted so long is one: a broker may welcome us and close at once.
    private static let steadiness = 60 * Moment.second
    /// Nanoseconds from the first byte to the broker's welcome.
    private static let patience = 15 * Moment.second
    private static let heartbeat = Moment.second

    init(_ host: AdapterHost, _ preferences: Preferences, _ exchange: Exchange) {
        self.host = host
        self.preferences = preferences
        self.exchange = exchange
        clientID = "smart-meter-" + String(UInt64.random(in: 1 << 60..<UInt64.max), radix: 36)
        storedMains = host.state(Self.mainsKey).map { String(decoding: $0, as: UTF8.self) }
        storedLogKeepers = Set(host.state(Self.logsKey).flatMap(JSON.parse)?.list?.compactMap(\.text) ?? [])
        household = Household(
            preferences, own: clientID, rememberedMains: storedMains, logKeepers: storedLogKeepers)
    }

    private static let mainsKey = "mains"
    private static let logsKey = "logs"

    mutating func run() {
        while !exchange.isStopping {
            do throws(AdapterError) {
                try listen()
                return
            } catch {
                guard !exchange.isStopping else { return }
                if household.connectedAt == nil { hasToldConnection = false }
                endSession(error)
                guard wait(seconds: max(pause * Double.random(in: 0.75...1), error.retryAfterSeconds)) else { return }
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private var now: Moment { Moment(wall: host.nowWall, monotonic: host.nowMonotonic) }

    // MARK: A connection

    /// From the beginning of a connection to the word to stop.
    private mutating func listen() throws(AdapterError) {
        let connection = try BrokerConnection(preferences, clientID: clientID)
        defer { connection.close() }
        let begin = host.nowMonotonic
        try connection.open()
        var welcomedAt: Int64?
        while !exchange.isStopping {
            let limit = welcomedAt == nil ? begin + Self.patience : due()
            let (events, isAsked) = poll(connection, until: limit)
            guard !exchange.isStopping else { return }
            let ready = Int32(POLLIN), ended = Int32(POLLHUP | POLLERR)
            try connection.turn(
                readable: events & ready != 0, writable: events & Int32(POLLOUT) != 0, isHungUp: events & ended != 0)
            let now = now
            if welcomedAt == nil {
                if isAsked { refuseQuestion() }
                guard connection.isWelcome else {
                    guard now.monotonic - begin < Self.patience else {
                        throw AdapterError(.timeout, "\(preferences.broker.text) does not answer")
                    }
                    continue
                }
                welcomedAt = now.monotonic
                if !hasToldConnection { host.log(.info, "connected to the broker \(preferences.broker.text)") }
                hasToldConnection = true
                household.connect(at: now)
            }
            if let welcomedAt, now.monotonic - welcomedAt >= Self.steadiness {
                pause = Self.shortestPause
                hasToldConnection = false
            }
            for message in connection.takeMessages() { household.take(message, at: now) }
            if isAsked { takeQuestion() }
            household.tick(at: now)
            answerQuestion()
            try send(connection)
            tell(now)
        }
    }

    private func poll(_ connection: BrokerConnection, until limit: Int64) -> (events: Int32, isAsked: Bool) {
        let left = max(0, limit - host.nowMonotonic)
        let events = Int32(POLLIN) | (connection.wantsToWrite ? Int32(POLLOUT) : 0)
        let answers = Bell.wait(
            for: [(connection.descriptor, events), (exchange.descriptor, Int32(POLLIN))],
            milliseconds: Int32(clamping: (left + 999_999) / 1_000_000))
        return (answers[0], answers[1] != 0)
    }

    private func due() -> Int64 {
        min(host.nowMonotonic + Self.heartbeat, household.readingDue ?? .max)
    }

    private mutating func send(_ connection: BrokerConnection) throws(AdapterError) {
        for outgoing in household.outgoing {
            switch outgoing {
            case .subscribe(let filter): try connection.subscribe(filter)
            case .publish(let topic, let payload): try connection.publish(topic, payload)
            }
        }
        household.outgoing.removeAll(keepingCapacity: true)
        for filter in connection.takeRefusedFilters() {
            host.log(
                .warning,
                "the broker does not let '\(preferences.user)' read \(filter): what is told there is not measured")
        }
    }

    /// Readings, conditions and news.
    private mutating func tell(_ now: Moment) {
        if let due = household.readingDue, due <= now.monotonic, let reading = household.takeReading(at: now) {
            host.emit(reading)
        }
        household.refreshLayout()
        for line in household.news { host.log(.info, line) }
        household.news.removeAll()
        state(household.complaint(at: now))
        remember(now)
    }

    /// What the next run has to know.
    private mutating func remember(_ now: Moment) {
        guard now.monotonic - rememberedAt >= Self.heartbeat else { return }
        rememberedAt = now.monotonic
        if household.rememberedMains != storedMains {
            storedMains = household.rememberedMains
            store(Self.mainsKey, storedMains, "the mains")
        }
        let keepers = household.logKeepers(at: now)
        if keepers != storedLogKeepers {
            storedLogKeepers = keepers
            let list = keepers.sorted().map { JSON.quoted($0) }.joined(separator: ",")
            store(Self.logsKey, "[\(list)]", "which meters keep a log")
        }
    }

    private func store(_ key: String, _ value: String?, _ what: String) {
        do throws(AdapterError) {
            try host.setState(key, value.map { Array($0.utf8) })
        } catch {
            host.log(.warning, "cannot remember \(what): \(error.message)")
        }
    }

    private mutating func state(_ error: AdapterError?) {
        guard error?.message != condition else { return }
        condition = error?.message
        host.condition(error)
    }

    private mutating func endSession(_ error: AdapterError) {
        state(error)
        household.disconnect()
        guard let (_, ticket) = pending else { return }
        pending = nil
        exchange.answer(ticket, .failure(error))
    }

    /// Between two connections; false at the word to stop.
    private mutating func wait(seconds: Double) -> Bool {
        let end = host.nowMonotonic + Int64(seconds * 1e9)
        while !exchange.isStopping {
            let left = end - host.nowMonotonic
            guard left > 0 else { return true }
            _ = Bell.wait(
                for: [(exchange.descriptor, Int32(POLLIN))], milliseconds: Int32(clamping: left / 1_000_000 + 1))
            guard !exchange.isStopping else { return false }
            refuseQuestion()
        }
        return false
    }

    // MARK: Questions of the host

    private func refuseQuestion() {
        guard let (ticket, _) = exchange.next() else { return }
        let reason = condition ?? "\(preferences.broker.text) is not connected yet"
        exchange.answer(ticket, .failure(AdapterError(.unreachable, reason)))
    }

    private mutating func takeQuestion() {
        guard let (ticket, question) = exchange.next() else { return }
        pending = nil
        switch question {
        case .plan:
            household.refreshLayout()
            exchange.answer(ticket, .plan(household.historyPlan(at: now)))
        case .call(let prefix, let method, let params):
            if household.meters.contains(where: { $0.prefix == prefix && $0.isOffline }) {
                exchange.answer(ticket, .failure(AdapterError(.unreachable, "\(prefix) is offline")))
            } else {
                pending = (household.ask(prefix, method, params: params), ticket)
            }
        }
    }

    private mutating func answerQuestion() {
        for (request, answer) in household.answers where request == pending?.request {
            if let ticket = pending?.ticket { exchange.answer(ticket, .result(answer)) }
            pending = nil
        }
        household.answers.removeAll()
    }
}
