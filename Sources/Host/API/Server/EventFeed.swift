import Observability
import Platform
import Readings

/// What the event stream tells: looks at the house after readings, and now and then without, while there are clients, and
/// keeps what has changed as bytes that every client reads at its own pace. Lives on the http thread.
final class EventFeed {
    private let house: any HouseView
    private let limits: ServerLimits
    /// Wakes the http thread; any thread.
    private let ring: @Sendable () -> Void
    private var clients: [EventReader] = []
    private var waiting = WaitingClients()
    /// The newest messages, the first being number `start`.
    private var messages: [[UInt8]] = []
    private var start = 0
    private var bytes = 0
    private var told = Told()
    /// Monotonic ns.
    private var lastLook: Int64 = 0
    private var lastFullLook: Int64 = 0
    private var nextSign: Int64 = 0

    /// Several readings within this become one event.
    private static let lookInterval = Duration.second / 4
    private static let fullLookInterval = Duration.second * 5 / 4
    /// A reading that comes so long before the next full look brings it forward: one wake, and one event's worth of
    /// sending, instead of two, also with readings a second apart.
    private static let fullLookSlack = Duration.second * 3 / 4
    /// A clock that has moved by so much was set.
    private static let clockStep = UInt64(Duration.second)
    /// Messages that are kept for clients that are behind.
    private static let byteLimit = 512 * 1024

    init(house: any HouseView, limits: ServerLimits, ring: @escaping @Sendable () -> Void) {
        self.house = house
        self.limits = limits
        self.ring = ring
    }

    /// Number of the message that comes next.
    var end: Int { start + messages.count }

    /// Nil where it is forgotten.
    func message(_ number: Int) -> [UInt8]? {
        number >= start && number < end ? messages[number - start] : nil
    }

    // MARK: Clients

    /// A new client; nil where there are too many, of that address or of all.
    func join(now: Int64, from peer: [UInt8]) -> EventReader? {
        guard clients.count < limits.eventClients,
            clients.count(where: { $0.peer == peer }) < limits.eventClientsPerAddress
        else { return nil }
        if clients.isEmpty {
            house.listen(ring)
            nextSign = now + limits.eventSignSeconds * Duration.second
        }
        // The others hear of what the snapshot has.
        let before = end
        look(now: now, isFull: true)
        tell(from: before)
        let reader = EventReader(feed: self, peer: peer, snapshot: snapshot(), next: end)
        clients.append(reader)
        return reader
    }

    func leave(_ reader: EventReader) {
        clients.removeAll { $0 === reader }
        waiting.remove(reader)
        guard clients.isEmpty else { return }
        house.listen(nil)
        start = end
        messages = []
        bytes = 0
        told = Told()
    }

    /// It has read everything, and is to be sent what comes.
    func wait(_ reader: EventReader, at socket: Int32) { waiting.add(reader, at: socket) }

    /// They have to connect again.
    func dropClients() {
        waiting = WaitingClients()
        for client in clients { client.close() }
    }

    /// When to look next (monotonic ns); nil while nobody listens.
    var wakeAt: Int64? {
        guard !clients.isEmpty else { return nil }
        let full = lastFullLook + Self.fullLookInterval
        return house.readingCount == told.readingCount ? full : min(full, lastLook + Self.lookInterval)
    }

    /// Tells what is new, where it is time to look.
    func tend(now: Int64) {
        guard let wakeAt, now >= wakeAt else { return }
        let before = end
        look(now: now, isFull: now >= lastFullLook + Self.fullLookInterval - Self.fullLookSlack)
        if end > before {
            nextSign = now + limits.eventSignSeconds * Duration.second
        } else if now >= nextSign {
            post(Array(": still here\n\n".utf8))
            nextSign = now + limits.eventSignSeconds * Duration.second
        }
        tell(from: before)
    }

    /// Hands the messages from a number on to the clients that wait.
    private func tell(from first: Int) {
        guard end > first else { return }
        forget(before: first)
        let new = (first..<end).flatMap { message($0) ?? [] }
        for (client, sent) in waiting.send(new) { client.goOn(from: first, sent: sent) }
    }

    // MARK: What is new

    /// What the clients know.
    private struct Told {
        var readingCount = -1
        var readings: [String: ReadingStamp] = [:]
        var adapters: [String: AdapterStamp] = [:]
        /// Each with whether it stands for the house; nil before the first look.
        var instances: [String]?
        var alerts: [String: AlertStamp] = [:]
        var delivery: [UInt8] = []
        var health: [UInt8] = []
        var clock: (start: Instant, at: Int64)?
    }

    private struct ReadingStamp: Equatable {
        let timestamp: Instant
        let isHouse: Bool
        let isStale: Bool
        let dailyKWh: Double?
    }

    private struct AdapterStamp: Equatable {
        let state: String
        let since: Instant
        let reason: String?
        let condition: String?
        let failures: Int
    }

    private struct AlertStamp: Equatable {
        let end: Instant?
        let peakW: Double?
        let detail: String

        init(_ alert: AlertReport) {
            end = alert.end
            peakW = alert.peakW
            detail = alert.detail
        }
    }

    private func look(now: Int64, isFull: Bool) {
        lastLook = now
        lookAtReadings(isFull: isFull)
        guard isFull else { return }
        lastFullLook = now
        lookAtClock(now: now)
        let alerts = house.recentAlerts()
        for alert in alerts where told.alerts[alert.id] != AlertStamp(alert) {
            post("alert") { AlertReport.shape.write(alert, to: &$0) }
        }
        told.alerts = Dictionary(alerts.map { ($0.id, AlertStamp($0)) }) { _, last in last }
        let adapters = house.adapters().adapters
        for adapter in adapters {
            let stamp = AdapterStamp(
                state: adapter.state, since: adapter.since, reason: adapter.reason, condition: adapter.condition,
                failures: adapter.failures)
            if told.adapters.updateValue(stamp, forKey: adapter.instance) != stamp {
                post("adapter") { AdapterReport.status.write(adapter, to: &$0) }
            }
        }
        let delivery = DeliveryReport.status.body(house.deliveryStatus())
        if delivery != told.delivery { post("delivery", delivery) }
        told.delivery = delivery
        let health = HealthReport.change.body(house.health())
        if health != told.health { post("health", health) }
        told.health = health
        lookAtInstances(adapters)
    }

    /// There is no event for an instance that has gone, nor for another one that stands for the house: all begins anew.
    private func lookAtInstances(_ adapters: [AdapterReport]) {
        let instances = adapters.map { "\($0.instance) \($0.isHouse)" }
        defer { told.instances = instances }
        guard let before = told.instances, before != instances else { return }
        let names = Set(adapters.map(\.instance))
        told.adapters = told.adapters.filter { names.contains($0.key) }
        told.readings = told.readings.filter { names.contains($0.key) }
        post(snapshot())
    }

    /// Now and then, since a client's own clock may be set or run wrong, and at once where the house's own was set.
    private func lookAtClock(now: Int64) {
        // What it showed when monotonic time began: the same until somebody sets it.
        let start = house.now - now
        if let (before, at) = told.clock, (start - before).magnitude < Self.clockStep,
            now < at + limits.eventClockSeconds * Duration.second
        {
            return
        }
        told.clock = (start, now)
        post("clock") { HouseClock.shape.write(house.now, to: &$0) }
    }

    private func lookAtReadings(isFull: Bool) {
        let count = house.readingCount
        // Without a new reading one may become stale, or another stand for the house.
        guard isFull || count != told.readingCount else { return }
        told.readingCount = count
        for reading in house.readings() {
            let stamp = ReadingStamp(
                timestamp: reading.timestamp, isHouse: reading.isHouse, isStale: reading.isStale,
                dailyKWh: reading.dailyKWh)
            if told.readings.updateValue(stamp, forKey: reading.instance) != stamp {
                post("reading") { ReadingReport.shape.write(reading, to: &$0) }
            }
        }
    }

    private func snapshot() -> [UInt8] {
        let snapshot = Snapshot(
            time: house.now, zone: house.houseZone.name, version: house.version, readings: house.readings(),
            alerts: house.recentAlerts().filter { $0.end == nil }, adapters: house.adapters().adapters,
            delivery: house.deliveryStatus(), health: house.health())
        // How long a browser waits before it connects again.
        return Array("retry: 3000\n".utf8) + Self.event("snapshot", Snapshot.shape.body(snapshot))
    }

    // MARK: Messages

    private func post(_ type: String, _ data: (inout JSONWriter) -> Void) {
        var json = JSONWriter(reserving: 1024)
        data(&json)
        post(type, json.bytes)
    }

    private func post(_ type: String, _ data: [UInt8]) { post(Self.event(type, data)) }

    private func post(_ message: [UInt8]) {
        // Nobody has missed what was before the first client.
        guard !clients.isEmpty else { return }
        messages.append(message)
        bytes += message.count
    }

    /// What is not new goes where it is too much: who has not read it yet is too slow.
    private func forget(before number: Int) {
        while bytes > Self.byteLimit, start < number {
            bytes -= messages.removeFirst().count
            start += 1
        }
    }

    /// JSON has no line end, so its data is one line.
    private static func event(_ type: String, _ data: [UInt8]) -> [UInt8] {
        Array("event: \(type)\ndata: ".utf8) + data + [UInt8(ascii: "\n"), UInt8(ascii: "\n")]
    }
}
