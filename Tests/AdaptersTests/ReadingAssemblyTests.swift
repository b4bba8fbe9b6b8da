import AdapterABI
import Readings
import Testing

@testable import Adapters

/// What adapters hand over, hostile ones included.
@Suite struct ReadingAssemblyTests {
    private let now = Instant(seconds: 1_780_315_200)

    private func assembly(_ circuits: [CircuitIdentity] = []) -> ReadingAssembly {
        ReadingAssembly(circuits: circuits, maximumPowerW: 100_000)
    }

    private func take(
        _ assembly: inout ReadingAssembly, at moment: Instant? = nil, _ change: (inout meter_reading) -> Void
    ) throws -> Emission {
        var reading = unsafe meter_reading_make()
        unsafe change(&reading)
        return try unsafe withUnsafePointer(to: reading) { pointer in
            try unsafe assembly.emission(pointer, instance: 7, now: moment ?? now)
        }
    }

    /// A reading with circuits of these ids, laid out with a stride.
    private func take(
        _ assembly: inout ReadingAssembly, ids: [String], names: [String]? = nil, stride: Int = 136,
        period: Int64 = 0, energies: (periodKWh: Double, totalKWh: Double)? = nil
    ) throws -> Emission {
        let texts = ids.map { Array($0.utf8CString) }
        let nameTexts = (names ?? ids).map { Array($0.utf8CString) }
        let table = UnsafeMutableRawPointer.allocate(byteCount: max(1, ids.count * stride), alignment: 8)
        defer { unsafe table.deallocate() }
        var copies: [UnsafeMutablePointer<CChar>] = unsafe []
        defer { unsafe copies.forEach { unsafe $0.deallocate() } }
        func forever(_ bytes: [CChar]) -> UnsafePointer<CChar> {
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for (index, byte) in bytes.enumerated() { unsafe (copy + index).initialize(to: byte) }
            unsafe copies.append(copy)
            return unsafe UnsafePointer(copy)
        }
        for index in ids.indices {
            var circuit = unsafe meter_circuit_make(
                forever(texts[index]), forever(nameTexts[index]), METER_KIND_LOAD)
            unsafe meter_circuit_set_power_w(&circuit, Double(index))
            if let energies {
                unsafe meter_circuit_set_period_energy_kwh(&circuit, energies.periodKWh)
                unsafe meter_circuit_set_period_returned_kwh(&circuit, energies.periodKWh)
                unsafe meter_circuit_set_total_energy_kwh(&circuit, energies.totalKWh)
                unsafe meter_circuit_set_total_returned_kwh(&circuit, energies.totalKWh)
            }
            unsafe table.storeBytes(of: circuit, toByteOffset: index * stride, as: meter_circuit.self)
        }
        return try unsafe take(&assembly) { reading in
            unsafe reading.period_ns = period
            unsafe reading.circuits = UnsafePointer(table.assumingMemoryBound(to: meter_circuit.self))
            unsafe reading.circuit_count = UInt32(ids.count)
            unsafe reading.circuit_stride = UInt32(stride)
        }
    }

    @Test func `a zeroed reading says that nothing is measured`() throws {
        var assembly = assembly()
        let emission = try unsafe take(&assembly) { _ in }
        #expect(emission.powers == Powers())
        #expect(emission.timestamp == now)
        #expect(emission.instance == 7)
        #expect(emission.circuits.isEmpty)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e308, 100_001, -100_001])
    func `an implausible number is dropped alone`(value: Double) throws {
        var assembly = assembly()
        let emission = try unsafe take(&assembly) { reading in
            unsafe meter_set_grid_power_w(&reading, value)
            unsafe meter_set_solar_power_w(&reading, 50)
        }
        #expect(emission.powers == Powers(solarW: 50))
        #expect(assembly.badValues == 1)
    }

    @Test(arguments: [-1, Double.nan, 1e300]) func `a counter that is no counter is not measured`(value: Double) throws
    {
        var assembly = assembly()
        let emission = try unsafe take(&assembly) { reading in unsafe meter_set_total_import_kwh(&reading, value) }
        #expect(emission.counters.imported == nil)
    }

    /// The house of these tests draws 100 kW at most: 50 kWh in half an hour, 2,600 kWh in a day of 26 hours.
    @Test func `an energy beyond what the house can draw is dropped alone`() throws {
        var assembly = assembly()
        func energies(_ factor: Double) throws -> Emission {
            try unsafe take(&assembly) { reading in
                unsafe reading.period_ns = 30 * Duration.minute
                unsafe meter_set_grid_power_w(&reading, 5)
                unsafe meter_set_period_import_kwh(&reading, 50.2 * factor)
                unsafe meter_set_period_discharge_kwh(&reading, 50.2 * factor)
                unsafe meter_set_total_export_kwh(&reading, 1e8 * factor)
                unsafe meter_set_total_charge_kwh(&reading, 1e8 * factor)
                unsafe meter_set_day_energy_kwh(&reading, 2600.2 * factor)
            }
        }
        let possible = try energies(1)
        #expect(possible.periodEnergy.imported != nil && possible.periodEnergy.discharged != nil)
        #expect(possible.counters.exported != nil && possible.counters.charged != nil && possible.dayEnergy != nil)
        #expect(assembly.badValues == 0)

        let impossible = try energies(1.0001)
        #expect(impossible.periodEnergy == Flows(repeating: nil) && impossible.counters == Flows(repeating: nil))
        #expect(impossible.dayEnergy == nil)
        #expect(impossible.powers.gridW == 5)
        #expect(assembly.badValues == 5)
    }

    @Test func `an energy of a circuit beyond what the house can draw is dropped alone`() throws {
        var assembly = assembly()
        func circuit(_ factor: Double) throws -> CircuitSample {
            let emission = try take(
                &assembly, ids: ["a"], period: 30 * Duration.minute, energies: (50.2 * factor, 1e8 * factor))
            return try #require(emission.circuits.first)
        }
        let energies: CircuitSample.Present = [.periodEnergy, .periodReturned, .totalEnergy, .totalReturned]
        #expect(try circuit(1).present == energies.union(.power))
        #expect(assembly.badValues == 0)
        #expect(try circuit(1.0001).present == .power)
        #expect(assembly.badValues == 4)
    }

    @Test func `a number without its bit does not count`() throws {
        var assembly = assembly()
        let emission = try unsafe take(&assembly) { reading in unsafe reading.grid_power_w = 500 }
        #expect(emission.powers.gridW == nil)
    }

    @Test func `what breaks a rule is refused whole, with a reason`() {
        var assembly = assembly()
        let day = Int64(86_400_000_000_000)
        let changes: [(inout meter_reading) -> Void] = unsafe [
            { unsafe $0.struct_size = 0 }, { unsafe $0.struct_size = 223 }, { unsafe $0.period_ns = -1 },
            { unsafe $0.period_ns = day + 1 }, { unsafe $0.timestamp_ns = 1 },
            { unsafe $0.timestamp_ns = now.nanoseconds + 2 * day }, { unsafe $0.circuit_count = 1 },
            { unsafe $0.circuit_count = 10_000_000 },
            {
                unsafe $0.circuit_count = 1
                unsafe $0.circuit_stride = 8
            },
        ]
        for index in unsafe changes.indices {
            var isRefused = false
            do { _ = try unsafe take(&assembly, changes[index]) } catch { isRefused = true }
            #expect(isRefused)
        }
        #expect(throws: ReadingAssembly.Refusal.self) {
            _ = try unsafe assembly.emission(nil, instance: 0, now: now)
        }
    }

    @Test func `a reading that is stamped by a clock that is not set is taken while it is not`() throws {
        var assembly = assembly()
        let boot = Instant(seconds: 20)
        let emission = try unsafe take(&assembly, at: boot) { unsafe $0.timestamp_ns = boot.nanoseconds - 5 }
        #expect(emission.timestamp == boot - 5)
        #expect(throws: ReadingAssembly.Refusal.self) {
            _ = try unsafe take(&assembly) { unsafe $0.timestamp_ns = boot.nanoseconds }
        }
    }

    @Test func `a later header's longer structs are read as far as they are known`() throws {
        var assembly = assembly()
        let emission = try take(&assembly, ids: ["a", "b", "c"], stride: 200)
        #expect(emission.circuits.map(\.powerW) == [0, 1, 2])
        let longer = try unsafe take(&assembly) { reading in unsafe reading.struct_size = 1000 }
        #expect(longer.circuits.isEmpty)
    }

    @Test func `circuits keep their numbers in any order and absence`() throws {
        var assembly = assembly([CircuitIdentity(id: "known", name: "Known")])
        let first = try take(&assembly, ids: ["b", "known", "a"])
        #expect(first.circuits.map(\.circuit) == [1, 0, 2])
        let second = try take(&assembly, ids: ["a", "b"])
        #expect(second.circuits.map(\.circuit) == [2, 1])
        // "Known" was named by the store; the adapter now calls it by its id.
        #expect(second.catalog.circuits.map(\.name) == ["known", "b", "a"])
        let third = try take(&assembly, ids: ["a", "b"])
        #expect(third.catalog.version == second.catalog.version)
        let renamed = try take(&assembly, ids: ["a", "b"], names: ["A", "b"])
        #expect(renamed.catalog.version > third.catalog.version)
        #expect(renamed.catalog.circuits[2].name == "A")
    }

    @Test func `an id twice, an empty one and one that is too long are refused`() {
        var assembly = assembly()
        for ids in [["a", "a"], [""], [String(repeating: "x", count: 256)]] {
            #expect(throws: ReadingAssembly.Refusal.self) { _ = try take(&assembly, ids: ids) }
        }
    }

    @Test func `circuits first seen in a refused reading are named when they come again`() throws {
        var assembly = assembly()
        #expect(throws: ReadingAssembly.Refusal.self) { _ = try take(&assembly, ids: ["a", "a"]) }
        let emission = try take(&assembly, ids: ["a"])
        #expect(emission.circuits.map(\.circuit) == [0])
        #expect(emission.catalog.circuits.map(\.id) == ["a"])
        #expect(throws: ReadingAssembly.Refusal.self) {
            _ = try take(&assembly, ids: ["a", "a"], names: ["New", "New"])
        }
        #expect(try take(&assembly, ids: ["a"], names: ["New"]).catalog.circuits.map(\.name) == ["New"])
    }

    @Test func `what is measured is part of what the instance knows`() throws {
        var assembly = assembly()
        let emission = try unsafe take(&assembly) { reading in
            unsafe reading.known = METER_SOLAR_POWER | 0xFFFF_FFF0
            unsafe meter_set_grid_power_w(&reading, 5)
        }
        #expect(emission.known == [.grid, .solar])
    }

    @Test(arguments: [UInt8(0xFF), 0xC0, 0x80]) func `a text that is not UTF-8 refuses the reading`(byte: UInt8) {
        var assembly = assembly()
        let id = [CChar(bitPattern: byte), 0x61]
        #expect(throws: ReadingAssembly.Refusal.self) {
            _ = try unsafe id.withUnsafeBufferPointer { buffer in
                var circuit = unsafe meter_circuit()
                unsafe circuit.id = meter_text(data: buffer.baseAddress, length: 2, reserved: 0)
                return try unsafe withUnsafePointer(to: circuit) { pointer in
                    try unsafe take(&assembly) { reading in
                        unsafe reading.circuits = pointer
                        unsafe reading.circuit_count = 1
                    }
                }
            }
        }
    }
}
