import AdapterABI
import Platform
import Readings
import Synchronization
import Testing

@testable import Adapters

@Suite struct EmissionPortTests {
    private final class Complaints: Sendable {
        let texts = Mutex<[String]>([])
    }

    private let board = LiveBoard()
    private let intake: Intake<Emission>
    private let complaints = Complaints()
    private let port: EmissionPort

    init() throws {
        intake = Intake(laneLimit: 2, totalLimit: 100, doorbell: try Doorbell())
        let complaints = complaints
        port = EmissionPort(
            instance: 3, circuits: [], maximumPowerW: 1000, board: board, lane: intake.makeLane()
        ) { text in complaints.texts.withLock { $0.append(text) } }
    }

    /// - Parameters:
    ///   - solarW: nil = not measured.
    ///   - isEmpty: no power is measured.
    private func emit(
        gridW: Double = 5, solarW: Double? = nil, known: UInt64 = 0, structSize: UInt32? = nil, isEmpty: Bool = false
    ) -> Int32 {
        var reading = unsafe meter_reading_make()
        if !isEmpty { unsafe meter_set_grid_power_w(&reading, gridW) }
        if let solarW { unsafe meter_set_solar_power_w(&reading, solarW) }
        unsafe reading.known = known
        if let structSize { unsafe reading.struct_size = structSize }
        return unsafe port.accept(&reading, sampling: Duration.minute)
    }

    @Test func `a port is closed before it is opened and after it is closed`() {
        #expect(emit() == METER_EMIT_CLOSED)
        port.open()
        #expect(emit() == METER_EMIT_QUEUED)
        port.close()
        #expect(emit() == METER_EMIT_CLOSED)
        #expect(port.counts.accepted == 1)
        #expect(intake.take().map(\.instance) == [3])
    }

    @Test func `what does not fit is dropped and counted; the live view has it all the same`() {
        port.open()
        let first = [emit(), emit()]
        #expect(first == [METER_EMIT_QUEUED, METER_EMIT_QUEUED])
        let third = emit(gridW: 7)
        #expect(third == METER_EMIT_BUSY)
        #expect(port.counts.busy == 1)
        #expect(board.newest(of: 3)?.powers.gridW == 7)
        #expect(intake.take().count == 2)
        let fourth = emit()
        #expect(fourth == METER_EMIT_QUEUED)
    }

    @Test func `a reading that breaks a rule is counted and its fault is said`() {
        port.open()
        #expect(emit(structSize: 4) == METER_EMIT_INVALID)
        #expect(unsafe port.accept(nil, sampling: 0) == METER_EMIT_INVALID)
        #expect(port.counts.invalid == 2)
        #expect(complaints.texts.withLock { $0.count } == 2)
        #expect(board.newest(of: 3) == nil)
    }

    @Test func `an implausible number is left out, counted and said`() {
        port.open()
        #expect(emit(solarW: 5000) == METER_EMIT_QUEUED)
        #expect(port.counts.badValues == 1)
        #expect(board.newest(of: 3)?.powers == Powers(gridW: 5))
        #expect(complaints.texts.withLock { $0.count } == 1)
    }

    @Test func `who has found nothing yet knows nothing, and what was found then stays`() {
        port.open()
        #expect(emit(known: 0, isEmpty: true) == METER_EMIT_QUEUED)
        #expect(board.newest(of: 3)?.known == [])
        #expect(emit(known: METER_GRID_POWER) == METER_EMIT_QUEUED)
        #expect(board.newest(of: 3)?.known == [.grid])
        #expect(complaints.texts.withLock { $0.isEmpty })
        _ = intake.take()
        #expect(emit(known: 0, isEmpty: true) == METER_EMIT_QUEUED)
        #expect(board.newest(of: 3)?.known == [.grid])
        #expect(complaints.texts.withLock { $0.count } == 1)
    }

    @Test func `what an instance knows is what its first reading said, until it is started again`() {
        port.open()
        #expect(emit(known: METER_GRID_POWER | METER_SOLAR_POWER) == METER_EMIT_QUEUED)
        #expect(emit(known: METER_GRID_POWER) == METER_EMIT_QUEUED)
        #expect(board.newest(of: 3)?.known == [.grid, .solar])
        #expect(complaints.texts.withLock { $0.count } == 1)
        _ = intake.take()
        port.close()
        port.open()
        #expect(emit(known: METER_GRID_POWER) == METER_EMIT_QUEUED)
        #expect(board.newest(of: 3)?.known == [.grid])
    }
}
