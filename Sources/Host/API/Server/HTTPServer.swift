package import Platform
import Readings
import Synchronization

/// The HTTP face of the host: one thread that runs libmicrohttpd and every handler, and one that reads the store.
package final class HTTPServer: Sendable {
    /// The port that it listens on.
    package let port: UInt16
    private let listener: Mutex<FileDescriptor?>
    private let router: Router
    private let house: (any HouseView)?
    private let rules: Mutex<AccessRules>
    /// Open streams of events were opened with another token than now.
    private let hasNewToken = Atomic<Bool>(false)
    private let limits: ServerLimits
    private let doorbell: Doorbell
    private let replies: Mailbox<QueryThread.Reply>
    private let queries: QueryThread
    private let isStopping = Atomic<Bool>(false)
    private let threads = Mutex<[Thread]>([])

    private static let overdueInterval = Duration.second

    /// Listens on `address` (an IPv4 or IPv6 literal) from now on; answers once it was started. Port 0: any free one.
    /// - Parameter house: whose events are told; nil = none are.
    package init(
        address: String, port: UInt16, router: Router, house: (any HouseView)?, rules: AccessRules = AccessRules(),
        limits: ServerLimits = ServerLimits()
    ) throws(ServerError) {
        do {
            doorbell = try Doorbell()
            replies = Mailbox(doorbell: doorbell)
            queries = try QueryThread(replies: replies, limit: limits.queries)
        } catch {
            throw .cannotListen(address, port, error)
        }
        let listener = try Listener(address: address, port: port)
        self.port = listener.port
        self.listener = Mutex(listener.intoDescriptor())
        self.router = router
        self.house = house
        self.rules = Mutex(rules)
        self.limits = limits
    }

    /// - Parameter failed: is told why the server ended, where it did by itself.
    package func start(failed: @escaping @Sendable (ServerError) -> Void) throws(SystemError) {
        let query = try Thread(name: "query", stackBytes: 512 * 1024) { [queries] in queries.run() }
        let http = try Thread(name: "http") { [self] in
            do throws(ServerError) {
                try run()
            } catch {
                failed(error)
            }
        }
        threads.withLock { $0 = [http, query] }
    }

    /// From the next request on; with another token the streams of events end.
    package func replace(rules: AccessRules) {
        let isOther = self.rules.withLock { old in
            defer { old = rules }
            return !old.hasToken(of: rules)
        }
        guard isOther else { return }
        hasNewToken.store(true, ordering: .releasing)
        doorbell.ring()
    }

    /// Any thread; the threads end soon after, with every connection closed.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        doorbell.ring()
        queries.stop()
    }

    /// False where a thread has not ended by the deadline (monotonic ns).
    @discardableResult
    package func join(until deadline: Int64) -> Bool {
        threads.withLock { $0 }.allSatisfy { $0.join(until: deadline) }
    }

    private func run() throws(ServerError) {
        guard let listener = listener.withLock({ $0.take() }) else { return }
        let reception = Reception(
            door: FrontDoor(router: router, limits: limits), rules: { [self] in rules.withLock { $0 } },
            queries: queries, feed: house.map { EventFeed(house: $0, limits: limits) { [doorbell] in doorbell.ring() } }
        )
        let daemon = try MicrohttpdDaemon(reception: reception)
        var entrance = Entrance(listener: listener)
        var nextLook: Int64 = 0
        var crowd = Crowd()
        while !isStopping.load(ordering: .acquiring) {
            for reply in replies.take() { reception.take(reply) }
            if hasNewToken.exchange(false, ordering: .acquiringAndReleasing) { reception.endEvents() }
            let now = Clock.monotonic()
            reception.tend(now: now)
            if now >= nextLook {
                daemon.endOverdue(now: now)
                if crowd.hasLeft {
                    Memory.trim()
                    crowd = Crowd()
                }
                nextLook = now + Self.overdueInterval
            }
            let nextServe = daemon.serve()
            crowd.count(daemon.visitCount)
            let look = daemon.hasDueVisits || crowd.hasLeft ? nextLook : nil
            let deadlines = [nextServe, reception.wakeAt, look, entrance.opensAt].compactMap(\.self)
            let ready = Poll.ready(
                [daemon.descriptor, doorbell.number, entrance.descriptor(now: Clock.monotonic())],
                until: deadlines.min())
            if ready[1] { doorbell.silence() }
            if ready[2] { entrance.admit(to: daemon) }
        }
    }
}

/// Notices that many clients have gone: what they took is to be given back.
private struct Crowd {
    private var most = 0
    private(set) var hasLeft = false
    private static let many = 64

    mutating func count(_ count: Int) {
        most = max(most, count)
        hasLeft = most >= Self.many && count <= most / 4
    }
}
