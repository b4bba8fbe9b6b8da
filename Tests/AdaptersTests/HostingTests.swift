import AdapterABI
import Configuration
import Foundation
import Observability
import Platform
import Readings
import Synchronization
import TestSupport
import Testing

@testable import Adapters

/// Calls that a schedule does not make, in both hostings.
@Suite(.serialized) struct HostingTests {
    private static let hostings = HostSettings.Isolation.allCases
    /// 2026-01-01T00:00:00Z.
    private static let start: Int64 = 1_767_225_600_000_000_000

    /// An adapter that has been created and started.
    private struct Rig {
        let services: InstanceServices
        var hosting: any AdapterHosting

        init(_ source: String, _ type: String, _ isolation: HostSettings.Isolation) throws {
            let folder = try TemporaryDirectory("hosting")
            try CAdapter.build(source, as: "adapter.so", in: folder)
            let catalog = try ShelfRig.catalog(release: folder.path, isolation)
            let adapter = try #require(catalog.adapter(ofType: type), "\(catalog.refused)")
            let log = try Log(level: .error)
            services = try InstanceServices(
                instance: InstanceIdentity(meterType: type),
                port: EmissionPort(
                    instance: 1, circuits: [], maximumPowerW: 1e6, board: LiveBoard(), lane: nil, complain: { _ in }),
                state: [:], requestsPerDay: nil, sampling: Duration.second, isPush: false, memory: AdapterRig.Memory(),
                log: log)
            switch adapter.place {
            case .host(let hosted):
                hosting = InProcessHosting(
                    adapter: hosted,
                    context: HostContext(
                        instance: type, settings: [:], declared: [], gate: services.gate, services: services))
            case .child(let launch, _):
                hosting = IsolatedHosting(
                    launch, adapter.description, instance: type, settings: [:], services: services)
            }
            try hosting.create()
            services.open()
            try hosting.start()
        }

        mutating func end() throws {
            services.cancel()
            try hosting.stop()
            services.close()
            try hosting.destroy()
        }
    }

    private final class Records: Sendable {
        let taken = Mutex<[(at: Int64, watts: Double, name: String)]>([])

        func take(_ record: UnsafePointer<meter_reading>) {
            let name = unsafe ForeignText.string(
                record.pointee.circuits?.pointee.name ?? meter_text(), limit: 100)
            taken.withLock {
                unsafe $0.append((record.pointee.timestamp_ns, record.pointee.grid_power_w, name ?? "?"))
            }
        }
    }

    private func request(_ count: Int64, most: UInt32 = 10_000) -> HistoryRequest {
        HistoryRequest(
            from: Self.start, to: Self.start + count * Duration.minute, step: Duration.minute,
            maxRecords: most, deadline: Clock.monotonic() + 5 * Duration.second)
    }

    @Test(arguments: hostings) func `history comes record by record, with what it covers`(
        _ isolation: HostSettings.Isolation
    ) throws {
        var rig = try Rig("archive.c", "archive", isolation)
        let records = Records()
        let answer = try unsafe rig.hosting.history(request(3000)) { record in
            unsafe records.take(record)
            return METER_SINK_CONTINUE
        }
        #expect(answer.outcome == METER_HISTORY_COMPLETE)
        #expect(answer.coveredTo == Self.start + 3000 * Duration.minute)
        #expect(answer.retryAfter == 11)
        #expect(answer.noneBefore == 22)
        let taken = records.taken.withLock { $0 }
        #expect(taken.map(\.at) == (1...3000).map { Self.start + $0 * Duration.minute })
        #expect(taken.map(\.watts) == (1...3000).map(Double.init))
        #expect(Set(taken.map(\.name)) == ["Boiler"])
        // None of it was taken for a reading of now.
        #expect(rig.services.port.counts.accepted == 0)
        try rig.end()
    }

    @Test(arguments: hostings) func `history ends where enough was put`(_ isolation: HostSettings.Isolation) throws {
        var rig = try Rig("archive.c", "archive", isolation)
        let records = Records()
        let answer = try unsafe rig.hosting.history(request(50_000, most: 50_000)) { record in
            unsafe records.take(record)
            return records.taken.withLock { $0.count } < 10 ? METER_SINK_CONTINUE : METER_SINK_STOP
        }
        #expect(answer.outcome == METER_HISTORY_MORE)
        let count = records.taken.withLock { $0.count }
        // In a process of its own some are on their way when it is told.
        #expect(isolation == .auto ? count == 10 : (10..<50_000).contains(count))
        #expect(answer.coveredTo == Self.start + Int64(count) * Duration.minute)
        // The next one is not ended by that.
        let next = try unsafe rig.hosting.history(request(20)) { _ in METER_SINK_CONTINUE }
        #expect(next.outcome == METER_HISTORY_COMPLETE)
        try rig.end()
    }

    @Test(arguments: hostings) func `history that fails says why, and an adapter without one is none`(
        _ isolation: HostSettings.Isolation
    ) throws {
        var rig = try Rig("archive.c", "archive", isolation)
        #expect(
            failure { _ = try unsafe rig.hosting.history(request(0)) { _ in 0 } }?.message
                == "there is nothing in an empty span")
        try rig.end()
        var other = try Rig("scripted.c", "scripted", isolation)
        #expect(failure { _ = try unsafe other.hosting.history(request(1)) { _ in 0 } }?.code == METER_UNSUPPORTED)
        #expect(failure { _ = try other.hosting.login { _ in .cancelled } }?.code == METER_UNSUPPORTED)
        try other.end()
    }

    @Test(arguments: hostings) func `a login asks a person, and says what was found`(
        _ isolation: HostSettings.Isolation
    ) throws {
        var rig = try Rig("archive.c", "archive", isolation)
        let asked = Mutex<[LoginPrompt]>([])
        let found = try rig.hosting.login { prompt in
            asked.withLock { $0.append(prompt) }
            return LoginReply(code: METER_OK, answer: Array((prompt.kind == METER_PROMPT_TEXT ? "Zoë" : "1234").utf8))
        }
        #expect(found == "Hello Zoë, code 1234")
        #expect(
            asked.withLock { $0 } == [
                LoginPrompt(kind: METER_PROMPT_TEXT, question: "Your name?"),
                LoginPrompt(kind: METER_PROMPT_CODE, question: "The code?"),
            ])
        #expect(failure { _ = try rig.hosting.login { _ in .cancelled } }?.code == METER_CANCELLED)
        let long = LoginReply(code: METER_OK, answer: Array("12345".utf8))
        #expect(failure { _ = try rig.hosting.login { _ in long } }?.message == "a code has four digits")
        try rig.end()
    }

    private func failure(_ body: () throws -> Void) -> AdapterFailure? {
        do {
            try body()
            return nil
        } catch HostingError.failed(let failure) {
            return failure
        } catch {
            return nil
        }
    }
}

extension AdapterHosting {
    /// A login with a person who always knows what to say.
    fileprivate mutating func login(_ answer: @escaping @Sendable (LoginPrompt) -> LoginReply) throws -> String {
        let dialogue = try LoginDialogue(log: Log(level: .error))
        let person = try Thread(name: "person") {
            while Poll.readable(dialogue.descriptor, until: nil) {
                switch dialogue.takeNews() {
                case .question(let prompt):
                    let reply = answer(prompt)
                    if reply.code == METER_OK { dialogue.answer(reply.answer) } else { dialogue.cancel() }
                case .found, .failed: return
                case nil: break
                }
            }
        }
        defer {
            dialogue.finish(.success(""))
            _ = person.join(until: Clock.monotonic() + 5 * Duration.second)
        }
        return try login(dialogue)
    }
}
