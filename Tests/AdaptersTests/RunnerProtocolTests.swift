import AdapterABI
import Configuration
import Glibc
import Platform
import Readings
import Synchronization
import TestSupport
import Testing

@testable import Adapters

/// What host and runner say to each other, as bytes: what one writes the other reads, and nothing that a hostile runner
/// sends does harm.
@Suite struct RunnerProtocolTests {
    static let description = AdapterDescription(
        meterType: "test", name: "Test – Zähler", vendor: "", version: "1.0", url: "https://example.org",
        summary: "A test",
        delivery: .push, requestsPerDay: 1000, defaultSampling: 1, minimumSampling: 2, late: 3, historyStep: 4,
        historyReach: 5, canLogIn: true,
        settings: [
            SettingDeclaration(
                name: "url", kind: .adapterURL, default: "http://meter", required: true, help: "Address"),
            SettingDeclaration(name: "mode", kind: .choice(["a", "b"]), default: nil, required: false, help: "Mode"),
            SettingDeclaration(name: "pin", kind: .secret, default: nil, required: false, help: "Secret"),
        ])

    static let fromRunner: [RunnerMessage] = [
        .ready(version: 2, landlock: 7), .described(description), .refused("no", shortage: nil),
        .refused("later", shortage: .memory), .loaded,
        .returned(CallOutcome()),
        .returned(
            CallOutcome(
                code: 5, retryAfter: 9, message: "später",
                history: HistoryAnswer(outcome: 2, coveredTo: 3, retryAfter: 4, noneBefore: -5))),
        .reading([1, 2, 3]), .record([]), .dropped(invalid: 1, busy: 2, reason: "why"),
        .log(level: 3, message: "words"), .condition(code: 1, retryAfter: -1, message: "gone"),
        .ask(serial: 7, .spend(3)), .ask(serial: 8, .state(key: [65])),
        .ask(serial: 9, .setState(key: [66], value: [0, 1])), .ask(serial: 10, .setState(key: [66], value: nil)),
        .ask(serial: 11, .prompt(LoginPrompt(kind: 2, question: "Password?"))),
    ]

    static let fromHost: [HostMessage] = [
        .setup(
            RunnerSetup(
                library: "/x.so", needed: ["/a", "/b"], meterType: "test", instance: "test@x",
                settings: ["a": "1", "b": ""], files: ["/f"], secret: ["/s", "/t"])),
        .setup(RunnerSetup(library: "/x.so")), .call(.create(deadline: 1)), .call(.start(deadline: .max)),
        .call(.read(deadline: .min)),
        .call(.history(HistoryRequest(from: 1, to: 2, step: 3, maxRecords: 4, deadline: 5))), .call(.login),
        .call(.stop(deadline: 0)), .call(.destroy(deadline: 0)), .cancel,
        .answer(serial: 4, code: -1, bytes: [1, 2]), .enough(deadline: 9),
    ]

    /// The frames of some bytes that come in pieces.
    private func frames(_ bytes: [UInt8], piece: Int) throws -> [Frame] {
        var sockets: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #expect(unsafe socketpair(AF_UNIX, kind, 0, &sockets) == 0)
        let ours = FileDescriptor(owning: sockets[0])
        let theirs = FileDescriptor(owning: sockets[1])
        var buffer = FrameBuffer()
        var frames: [Frame] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let part = Array(bytes[start..<min(start + piece, bytes.count)])
            #expect(Stream.write(part, to: theirs.number, until: Clock.monotonic() + Duration.second))
            while case .some = buffer.receive(from: ours.number) {}
            while let frame = try buffer.next() { frames.append(frame) }
        }
        return frames
    }

    @Test(arguments: [1, 7, 100_000]) func `messages are the same on the other side, however they are cut`(
        piece: Int
    ) throws {
        let runner = try frames(Self.fromRunner.flatMap(\.encoded), piece: piece).map(RunnerMessage.init)
        #expect(runner == Self.fromRunner)
        let host = try frames(Self.fromHost.flatMap(\.encoded), piece: piece).map(HostMessage.init)
        #expect(host == Self.fromHost)
        #expect(Self.description.objection == nil)
    }

    @Test func `a message that is cut, too long or of an unknown kind is a violation`() throws {
        for message in Self.fromRunner {
            guard let frame = try frames(message.encoded, piece: 4096).first else { continue }
            // The payload of readings is judged by who reads them.
            if case .reading = message { continue }
            if case .record = message { continue }
            for length in 0..<frame.payload.count {
                let cut = Frame(kind: frame.kind, payload: Array(frame.payload.prefix(length)))
                #expect(throws: Frame.Violation.self) { try RunnerMessage(cut) }
            }
            let longer = Frame(kind: frame.kind, payload: frame.payload + [0])
            #expect(throws: Frame.Violation.self) { try RunnerMessage(longer) }
        }
        #expect(throws: Frame.Violation.self) { try RunnerMessage(Frame(kind: 0, payload: [])) }
        #expect(throws: Frame.Violation.self) { try RunnerMessage(Frame(kind: 255, payload: [])) }
        #expect(throws: Frame.Violation.self) { try frames([255, 255, 255, 255, 70, 0, 0, 0], piece: 8) }
        #expect(throws: Frame.Violation.self) { try frames([0, 0, 0, 0, 70, 0, 9, 0], piece: 8) }
    }

    // MARK: Readings

    /// Gives `body` a reading of some circuits, in memory that an adapter might use.
    private func withReading<Result>(circuits count: Int, _ body: (UnsafePointer<meter_reading>) throws -> Result)
        rethrows
        -> Result
    {
        let texts = (0..<count).map { "circuit \($0) – \(String(repeating: "é", count: $0))" }
        var circuits = unsafe [meter_circuit](repeating: meter_circuit(), count: count)
        for index in 0..<count {
            var circuit = unsafe meter_circuit_make(strdup("id-\(index)"), strdup(texts[index]), METER_KIND_LOAD)
            unsafe meter_circuit_set_power_w(&circuit, Double(index) + 0.5)
            if index > 0 { unsafe circuit.parent_id = meter_text_of(strdup("id-0")) }
            unsafe circuits[index] = circuit
        }
        var reading = unsafe meter_reading_make()
        unsafe meter_set_grid_power_w(&reading, -12.5)
        unsafe meter_set_total_import_kwh(&reading, 77)
        unsafe reading.quality = METER_QUALITY_ESTIMATED
        unsafe reading.timestamp_ns = Clock.wall()
        return try unsafe circuits.withUnsafeMutableBufferPointer { buffer in
            unsafe reading.circuits = UnsafePointer(buffer.baseAddress)
            unsafe reading.circuit_count = UInt32(count)
            return try unsafe body(&reading)
        }
    }

    private func payload(_ reading: UnsafePointer<meter_reading>) throws -> [UInt8] {
        let bytes = unsafe RunnerMessage.encoded(reading, isRecord: false)
        #expect(unsafe bytes.count == Frame.headerSize + ReadingCoding.size(reading))
        return Array(bytes.dropFirst(Frame.headerSize))
    }

    @Test(arguments: [0, 1, 20]) func `a reading that has crossed is the same to the host`(count: Int) throws {
        var here = ReadingAssembly(circuits: [], maximumPowerW: 1e6)
        var there = ReadingAssembly(circuits: [], maximumPowerW: 1e6)
        try unsafe withReading(circuits: count) { reading in
            let direct = try unsafe here.emission(reading, instance: 1, now: .now)
            let crossed = try unsafe ReadingCoding.read(payload(reading)) { copy in
                Result { try unsafe there.emission(copy, instance: 1, now: .now) }
            }.get()
            #expect(crossed.powers == direct.powers)
            #expect(crossed.counters == direct.counters)
            #expect(crossed.timestamp == direct.timestamp)
            #expect(crossed.quality == direct.quality)
            #expect(crossed.circuits == direct.circuits)
            #expect(crossed.catalog.circuits == direct.catalog.circuits)
            #expect(crossed.circuits.count == count)
        }
    }

    @Test func `no address of the adapter's memory crosses`() throws {
        try unsafe withReading(circuits: 3) { reading in
            let bytes = try unsafe payload(reading)
            let size = unsafe MemoryLayout<meter_reading>.size
            #expect(bytes[208..<216].allSatisfy { $0 == 0 })
            for circuit in 0..<3 {
                for text in [0, 16, 32] {
                    let place = unsafe size + circuit * MemoryLayout<meter_circuit>.size + text
                    #expect(bytes[place..<(place + 8)].allSatisfy { $0 == 0 })
                }
            }
        }
    }

    @Test func `bytes that are no reading are refused, whatever they are`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let board = LiveBoard()
        let port = EmissionPort(
            instance: 1, circuits: [], maximumPowerW: 1e6, board: board, lane: nil, complain: { _ in })
        port.open()
        let good = try unsafe withReading(circuits: 5) { try unsafe payload($0) }
        var violations = 0
        for round in 0..<Checkout.rounds * 4000 {
            var bytes = good
            switch round % 4 {
            case 0: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
            case 1: bytes += (0..<Int.random(in: 1...40, using: &random)).map { UInt8($0) }
            default:
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            }
            do {
                let answer = try unsafe ReadingCoding.read(bytes) { unsafe port.accept($0, sampling: 0) }
                #expect([METER_EMIT_QUEUED, METER_EMIT_INVALID].contains(answer))
            } catch {
                violations += 1
            }
        }
        #expect(violations > Checkout.rounds * 1500)
    }

    @Test func `any bytes on the socket are messages or a violation, and never more`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let good = Self.fromRunner.flatMap(\.encoded)
        for _ in 0..<Checkout.rounds * 100 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                for frame in try frames(bytes, piece: 333) {
                    guard case .described(let description) = try RunnerMessage(frame) else { continue }
                    // What it says is then judged as what was read from memory.
                    _ = description.objection
                }
            } catch is Frame.Violation {}
        }
    }
}
