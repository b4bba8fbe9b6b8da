import AdapterABI
import Adapters
import Glibc
import Platform
import Readings

/// What an adapter waits for in `emit`: checking, copying and queueing a reading.
enum PortBenchmark {
    private static let rounds = 2000

    static func run() throws -> [Measurement] {
        try [10, 100, 1000].map(run)
    }

    private static func run(circuits count: Int) throws -> Measurement {
        let intake = Intake<Emission>(laneLimit: 4096, totalLimit: 32_768, doorbell: try Doorbell())
        let port = EmissionPort(
            instance: 1, circuits: [], maximumPowerW: 100_000, board: LiveBoard(), lane: intake.makeLane(),
            complain: { print($0) })
        port.open()
        let reading = ForeignReading(circuits: count)
        var times: [Int64] = []
        for round in 0..<rounds {
            reading.change(round)
            let begin = Clock.monotonic()
            let code = unsafe port.accept(reading.pointer, sampling: Duration.minute)
            times.append(Clock.monotonic() - begin)
            guard code == METER_EMIT_QUEUED else { throw Failure(code: code) }
            _ = intake.take()
        }
        times.sort()
        return Measurement(
            what: "Accept a reading of \(count) circuits",
            figure: "\(Measurement.rounded(Double(times[rounds / 2]))) ns",
            how: "`emit` of the same circuits again, until it returns; median of \(rounds), "
                + "99 % within \(Measurement.rounded(Double(times[rounds * 99 / 100]))) ns")
    }

    struct Failure: Error {
        let code: Int32
    }
}

/// A reading in an adapter's memory. Lives until the program ends, as do its texts.
@safe private final class ForeignReading {
    private let reading: UnsafeMutablePointer<meter_reading>
    private let circuits: UnsafeMutableBufferPointer<meter_circuit>

    init(circuits count: Int) {
        unsafe circuits = .allocate(capacity: count)
        for index in 0..<count {
            var circuit = unsafe meter_circuit_make(
                strdup("circuit-\(index)"), strdup("Circuit \(index)"), METER_KIND_LOAD)
            unsafe circuit.present = METER_CIRCUIT_POWER | METER_CIRCUIT_TOTAL_ENERGY
            unsafe circuit.total_energy_kwh = 1000 + Double(index)
            unsafe circuits.initializeElement(at: index, to: circuit)
        }
        unsafe reading = .allocate(capacity: 1)
        unsafe reading.initialize(to: meter_reading_make())
        unsafe reading.pointee.known = METER_GRID_POWER
        unsafe reading.pointee.present = METER_GRID_POWER | METER_TOTAL_IMPORT
        unsafe reading.pointee.total_import_kwh = 12_345.678
        unsafe reading.pointee.circuits = UnsafePointer(circuits.baseAddress)
        unsafe reading.pointee.circuit_count = UInt32(count)
    }

    var pointer: UnsafePointer<meter_reading> { unsafe UnsafePointer(reading) }

    func change(_ round: Int) {
        unsafe reading.pointee.grid_power_w = Double(round) + 0.5
        for index in unsafe circuits.indices { unsafe circuits[index].power_w = Double(round + index) + 0.25 }
    }
}
