import Readings
import Storage
import TestSupport
import Testing

@testable import Delivery

@Suite struct LineWriterTests {
    private let end = Instant(seconds: 1_780_315_200)

    @Test func `a house and its circuits are the seed's lines`() throws {
        var slot = slot(isHouse: true)
        slot.totalPowerW = 2450
        slot.dayEnergy = Millijoules(18_500_000) * 3_600
        slot.powers.gridW = -12.5
        slot.coverage = 0.95
        slot.quality = .measured
        slot.circuits = [
            circuit(0) {
                $0.powerW = 1200; $0.percentage = 49.0
            }
        ]
        #expect(
            lines(slot, names: ["Kitchen, north"], ids: ["k\"1"]) == [
                "smart_meter,meter_type=mock,site=home total_power_w=2450,daily_kwh=18.5,total_is=\"grid\""
                    + ",grid_power_w=-12.5,coverage=0.95,quality=\"measured\" 1780315200000000000",
                "smart_meter_circuit,circuit_name=Kitchen\\,\\ north,meter_type=mock,site=home power_w=1200"
                    + ",percentage=49,kind=\"load\",circuit_id=\"k\\\"1\",quality=\"measured\" 1780315200000000000",
            ])
    }

    @Test func `another meter than the house writes its total as a circuit`() throws {
        var slot = slot(isHouse: false)
        slot.totalPowerW = 5
        let line = try #require(ParsedLine(lines(slot)[0][...]))
        #expect(line.measurement == "smart_meter_circuit")
        #expect(line.tags["circuit_name"] == "Total")
        #expect(line.fields["kind"] == "total")
    }

    @Test(arguments: [false, true]) func `no two lines of a slot have the same series`(isHouse: Bool) throws {
        var slot = slot(isHouse: isHouse)
        slot.totalPowerW = 5
        // As a store of before may have them, and names that are escaped alike.
        let names = ["Total", "Lamp", "Lamp\\", "Lamp (3)", "Lamp", "", "", "Total"]
        slot.circuits = names.indices.map { number in circuit(Int32(number)) { $0.powerW = 1 } }
        let written = lines(slot, names: names, ids: names.indices.map { String($0 + 1) })
        let parsed = try written.map { try #require(ParsedLine($0[...])) }
        #expect(parsed.count == names.count + 1)
        #expect(Set(parsed.map { [$0.measurement, $0.tags["circuit_name"] ?? ""] }).count == parsed.count)
        #expect(parsed.contains { $0.fields["kind"] == "total" && $0.tags["circuit_name"] == "Total" } == !isHouse)
        #expect(
            parsed.first { $0.fields["circuit_id"] == "1" }?.tags["circuit_name"] == (isHouse ? "Total" : "Total (1)"))
        #expect(parsed.first { $0.fields["circuit_id"] == "2" }?.tags["circuit_name"] == "Lamp")
    }

    @Test func `a circuit named Total is told from the total of a slot in which that was not measured`() throws {
        var slot = slot(isHouse: false)
        slot.circuits = [circuit(0) { $0.powerW = 1 }]
        let line = try #require(ParsedLine(lines(slot, names: ["Total"], ids: ["a"])[0][...]))
        #expect(line.tags["circuit_name"] == "Total (a)")
    }

    @Test func `the old day's last figure stands one second before midnight`() throws {
        var slot = slot(isHouse: true)
        slot.totalPowerW = 1
        slot.dayEnergy = 0
        slot.closingDayEnergy = 3_600_000_000 * 7
        let parsed = try lines(slot).map { try #require(ParsedLine($0[...])) }
        #expect(parsed.map(\.time) == [end.nanoseconds, end.nanoseconds - 1_000_000_000])
        #expect(parsed.map { $0.fields["daily_kwh"] } == ["0", "7"])
        #expect(parsed[1].fields.count == 1)
    }

    @Test func `the day's figure is told to the millionth, a counter to the millijoule`() throws {
        var slot = slot(isHouse: true)
        slot.dayEnergy = 5_829_469
        slot.closingDayEnergy = 5_829_469
        slot.lifetime.imported = 5_829_469
        let parsed = try lines(slot).map { try #require(ParsedLine($0[...])) }
        #expect(parsed.map { $0.fields["daily_kwh"] } == ["0.001619", "0.001619"])
        let imported = try #require(parsed[0].fields["import_kwh_total"].flatMap(Double.init))
        #expect(Energy.millijoules(kWh: imported) == 5_829_469 && imported == Energy.kWh(5_829_469))
    }

    @Test func `a circuit without a number has no line`() {
        var slot = slot(isHouse: false)
        slot.circuits = [circuit(0) { _ in }]
        #expect(lines(slot, names: ["A"], ids: ["a"]).isEmpty)
        slot.circuits = [
            circuit(0) {
                $0.powerW = .nan; $0.percentage = .infinity
            }
        ]
        #expect(lines(slot, names: ["A"], ids: ["a"]).allSatisfy { !$0.contains("nan") && !$0.contains("inf") })
    }

    @Test(arguments: 1...20) func `any name is one line that reads back`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("ab,= \"\\\n\r\t\u{0}ü🫖#\u{7F}")
        for _ in 0..<200 {
            func word() -> String {
                String((0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
            }
            let (name, id, tag) = (word(), word(), word())
            var slot = slot(isHouse: false)
            slot.circuits = [circuit(0) { $0.powerW = 1 }]
            let written = lines(slot, names: [name], ids: [id], tag: tag)
            #expect(written.count == 1, "seed \(seed) \(name.debugDescription)")
            let line = try #require(ParsedLine(written[0][...]), "seed \(seed) \(name.debugDescription) \(written)")
            let expected = Self.asTag(name)
            #expect(line.tags["circuit_name"] ?? "" == expected, "seed \(seed) \(name.debugDescription)")
            #expect(line.tags["site"] ?? "" == Self.asTag(tag), "seed \(seed) \(tag.debugDescription)")
            #expect(line.fields["circuit_id"] == Self.spaced(id, delete: false), "seed \(seed) \(id.debugDescription)")
            #expect(line.fields["power_w"] == "1" && line.time == end.nanoseconds)
        }
    }

    // MARK: What is expected

    /// Control characters as spaces.
    private static func spaced(_ text: String, delete: Bool) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 32 || delete && $0.value == 127 ? " " : $0 }))
    }

    /// As `spaced`, without backslashes at the end and before what is escaped.
    private static func asTag(_ text: String) -> String {
        var result = ""
        for character in spaced(text, delete: true).reversed() {
            let next = result.last
            if character == "\\", next == nil || [",", "=", " "].contains(next) { continue }
            result.append(character)
        }
        return String(result.reversed())
    }

    private func slot(isHouse: Bool) -> Slot {
        Slot(instance: 1, start: end - Duration.minute, end: end, isHouse: isHouse, totalIs: .grid)
    }

    private func circuit(_ number: Int32, _ fill: (inout CircuitSlot) -> Void) -> CircuitSlot {
        var circuit = CircuitSlot(circuit: number, kind: .load)
        fill(&circuit)
        return circuit
    }

    private func lines(_ slot: Slot, names: [String] = [], ids: [String] = [], tag: String = "home") -> [String] {
        var writer = LineWriter(tags: [("site", tag)])
        writer.append(
            OutboundSlot(
                id: 1, revision: 1, slot: slot, meter: InstanceIdentity(meterType: "mock"), circuitNames: names,
                circuitIDs: ids), index: 0)
        #expect(writer.bytes.isEmpty || writer.bytes.last == 10)
        return writer.lines.indices.map {
            String(decoding: writer.bytes(of: $0..<($0 + 1)).dropLast(), as: UTF8.self)
        }
    }
}
