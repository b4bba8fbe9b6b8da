import Readings
import Testing

@testable import Analysis

@Suite struct FoldTests {
    @Test func `a constant load fills its slot`() throws {
        let house = House()
        let emissions = (0...10).map { house.emission(at: Double($0) * 30, Powers(consumptionW: 1000)) }
        let slot = try #require(house.fold(emissions, slots: 1)[0])
        #expect(slot.totalPowerW == 1000)
        #expect(slot.totalIs == .consumption)
        #expect(slot.coverage == 1)
        #expect(slot.energy.consumed == millijoules(1000, 300))
        #expect(slot.energy.imported == nil)
    }

    @Test func `a cycling load is the mean of what it did, not its last value`() throws {
        let house = House()
        let emissions = (0...10).map { index in
            house.emission(at: Double(index) * 30, Powers(consumptionW: index % 5 < 2 ? 3000 : 0))
        }
        let slot = try #require(house.fold(emissions, slots: 1)[0])
        #expect(slot.totalPowerW == 1200)
        #expect(slot.minimumPowerW == 0)
        #expect(slot.maximumPowerW == 3000)
        #expect(slot.energy.consumed == millijoules(3000, 120))
    }

    @Test func `a sample holds for two and a half sampling periods and then nothing is invented`() throws {
        let house = House()
        let slots = house.fold([house.emission(at: 0, Powers(consumptionW: 1000))], slots: 3)
        let slot = try #require(slots[0])
        #expect(slot.coverage == 0.25)
        #expect(slot.energy.consumed == millijoules(1000, 75))
        #expect(slots[1] == nil)
        #expect(slots[2] == nil)
    }

    @Test func `what a sample holds for follows from the plan in force when it was taken`() throws {
        // Read once a minute; then the ration has to last, and it is every five minutes; then it is renewed.
        var house = House(sampling: 60 * Duration.second)
        func samples(_ seconds: [Double]) -> [Emission] {
            seconds.map { house.emission(at: $0, Powers(consumptionW: 1000)) }
        }
        var emissions = samples([0, 60, 120, 180])
        house.sampling = 300 * Duration.second
        emissions += samples([240, 540, 840])
        house.sampling = 60 * Duration.second
        emissions += samples([1140])
        let slots = house.fold(emissions, slots: 5)
        #expect(slots.prefix(3).map { $0?.coverage } == [1, 1, 1])
        #expect(slots.prefix(3).map { $0?.energy.consumed } == .init(repeating: millijoules(1000, 300), count: 3))
        // The next one did not come when it was to.
        #expect(slots[3]?.coverage == 1)
        #expect(slots[4]?.coverage == 0.3)
        #expect(slots[4]?.energy.consumed == millijoules(1000, 90))
    }

    @Test func `a meter that is away longer than planned is a gap, however slow the plan was before`() throws {
        // An adapter that fails is tried again less often; its last reading was taken by the plan of before.
        let house = House(sampling: 60 * Duration.second)
        let emissions = (0..<4).map { house.emission(at: Double($0) * 300, Powers(consumptionW: 1000)) }
        let slots = house.fold(emissions, slots: 3)
        #expect(slots.map { $0?.coverage } == [0.5, 0.5, 0.5])
        #expect(slots.map { $0?.energy.consumed } == .init(repeating: millijoules(1000, 150), count: 3))
    }

    @Test func `import and export are kept apart by sign`() throws {
        let house = House(known: [.grid, .solar])
        let emissions = (0...10).map { index in
            house.emission(at: Double(index) * 30, Powers(gridW: index < 4 ? 500 : -250, solarW: 1000))
        }
        let slot = try #require(house.fold(emissions, slots: 1)[0])
        #expect(slot.energy.imported == millijoules(500, 120))
        #expect(slot.energy.exported == millijoules(250, 180))
        #expect(slot.energy.produced == millijoules(1000, 300))
        #expect(slot.energy.consumed == millijoules(1500, 120) + millijoules(750, 180))
        #expect(slot.totalIs == .consumption)
    }

    @Test func `a missing part makes the total unknown, and the total never changes its meaning`() throws {
        let house = House(known: [.grid, .solar])
        let emissions = (0...10).map { index in
            house.emission(at: Double(index) * 30, Powers(gridW: 500, solarW: index < 5 ? 100 : nil))
        }
        let slot = try #require(house.fold(emissions, slots: 1)[0])
        #expect(slot.totalIs == .consumption)
        #expect(slot.totalPowerW == 600)
        #expect(slot.coverage == 0.5)
        #expect(slot.powers.gridW == 500)
    }

    @Test func `a period is split at the border of two slots in proportion`() throws {
        let house = House()
        let slots = house.fold([house.emission(at: 390, Powers(consumptionW: 800), period: 180)], slots: 2)
        #expect(slots[0]?.energy.consumed == millijoules(800, 90))
        #expect(slots[1]?.energy.consumed == millijoules(800, 90))
        #expect(slots[0]?.coverage == 0.3)
    }

    @Test func `a counter tells the energy, across slots and across silence, without claiming coverage`() throws {
        let house = House(known: [.grid])
        func counted(_ seconds: Double, _ imported: Double) -> Emission {
            var counters = Flows<Millijoules?>(repeating: nil)
            counters.imported = kWh(imported)
            return house.emission(at: seconds, Powers(gridW: 1000), counters: counters)
        }
        let slots = house.fold([counted(1, 100), counted(30, 100.01), counted(930, 100.31)], slots: 4)
        let total = slots.compactMap { $0?.energy.imported }.reduce(0, +)
        #expect(total == kWh(0.31))
        #expect(slots[1]?.energy.imported == kWh(0.1))
        #expect(slots[1]?.coverage == 0)
        #expect(slots[2]?.totalPowerW == nil)
    }

    /// A house that imports 3.6 kW: 60 Wh in a minute. Every part has a counter; some are silent for a while.
    private func counted(_ house: House, at seconds: Double, isSilent: Bool) -> Emission {
        var emission = house.emission(at: seconds, Powers(gridW: 3600, solarW: isSilent ? nil : 0))
        emission.counters.imported = kWh(100 + seconds / 1000)
        emission.counters.exported = kWh(50)
        emission.counters.produced = isSilent ? nil : kWh(70)
        return emission
    }

    @Test(arguments: [false, true]) func `a part that is silent for a night costs no consumption`(
        restarts: Bool
    ) throws {
        var house = House(known: [.grid, .solar])
        house.sampling = Duration.second
        let night = 400.0...1433.0
        let emissions = (0...1800).map { counted(house, at: Double($0), isSilent: night.contains(Double($0))) }
        var carry = Carry(at: .noon)
        var slots: [Slot?] = []
        for _ in 0..<6 {
            slots += house.fold(emissions, slots: 1, carry: &carry)
            if restarts { carry = try #require(Carry(decoding: carry.encoded())) }
        }
        func sum(_ flow: Flow) -> Millijoules { slots.compactMap { $0?.energy[flow] }.reduce(0, +) }
        // The step of the first readings of the counters went by power.
        let imported = sum(.imported)
        #expect(abs(imported - kWh(1.8)) <= kWh(0.001))
        #expect(sum(.consumed) == imported)
        #expect(slots.last??.lifetime.consumed == slots.last??.lifetime.imported)
        #expect(slots.last??.dayEnergy == imported)
        // What is not known yet is in no slot; it is in the one in which it becomes known.
        #expect(slots[2]?.energy.consumed == nil && slots[3]?.energy.consumed == nil)
        #expect(slots[2]?.coverage == 0)
        #expect(slots[4]?.energy.consumed == sum(.consumed) - kWh(0.4) - kWh(0.3))
    }

    /// The production of the first half is not known yet when the slot ends; its share of the step must not count alone.
    @Test func `a step across a border does not count what a silent part takes back`() throws {
        let house = House(known: [.grid, .solar, .battery])
        // Over 270 s: 0.4 kWh imported, 0.5 kWh charged and 0.4 kWh produced, of which the house uses 0.3 kWh.
        func emission(_ seconds: Double, _ part: Double, isSilent: Bool) -> Emission {
            var emission = house.emission(at: seconds, Powers(gridW: 100))
            emission.counters.imported = kWh(10 + 0.4 * part)
            emission.counters.exported = kWh(10)
            emission.counters.discharged = isSilent ? nil : kWh(10)
            emission.counters.charged = isSilent ? nil : kWh(10 + 0.5 * part)
            emission.counters.produced = isSilent ? nil : kWh(10 + 0.4 * part)
            return emission
        }
        let slots = house.fold(
            [
                emission(0, 0, isSilent: false), emission(30, 0, isSilent: false), emission(270, 1, isSilent: true),
                emission(330, 1, isSilent: false), emission(360, 1, isSilent: false),
            ], slots: 2)
        #expect(slots[0]?.energy.consumed ?? 0 == 0)
        #expect(slots[1]?.energy.consumed == kWh(0.3))
    }

    @Test func `an account of before, with a debt of the balance, is still read`() throws {
        var carry = Carry(at: .noon)
        carry.uncountedBalance = -5
        carry.flows.consumed = EnergyAccount()
        // Version 1 had the debt, positive, in the place of the balance, and no doubt about the day's counter at the end.
        var bytes = carry.encoded()
        bytes[0] = 1
        bytes.replaceSubrange(9..<17, with: [5, 0, 0, 0, 0, 0, 0, 0])
        bytes.remove(at: bytes.count - 5)
        #expect(Carry(decoding: bytes) == carry)
    }

    @Test func `each of the circuits has its power, share and energy`() throws {
        var house = House()
        house.catalog = CircuitCatalog(
            circuits: [
                CircuitIdentity(id: "hvac", name: "HVAC"), CircuitIdentity(id: "kitchen", name: "Kitchen"),
                CircuitIdentity(id: "kettle", name: "Kettle", parentID: "kitchen"),
            ], version: 1)
        func sample(_ number: Int32, _ powerW: Double) -> CircuitSample {
            var sample = CircuitSample(circuit: number, kind: .load)
            sample.present = .power
            sample.powerW = powerW
            return sample
        }
        let emissions = (0...10).map {
            house.emission(
                at: Double($0) * 30, Powers(consumptionW: 2000),
                circuits: [sample(0, 900), sample(1, 600), sample(2, 500)])
        }
        let slot = try #require(house.fold(emissions, slots: 1)[0])
        #expect(slot.circuits.map(\.powerW) == [900, 600, 500])
        #expect(slot.circuits.map(\.percentage) == [45, 30, 25])
        #expect(slot.circuits[0].energy == millijoules(900, 300))
        #expect(slot.unmonitoredPowerW == 500)
    }

    @Test func `percentages are of the use that was measured, not of means that never were together`() throws {
        var house = House(known: [.grid, .solar])
        house.catalog = CircuitCatalog(circuits: [CircuitIdentity(id: "a", name: "A")], version: 1)
        var sample = CircuitSample(circuit: 0, kind: .load)
        sample.present = .power
        sample.powerW = 1000
        let emissions = (0...10).map { index in
            house.emission(
                at: Double(index) * 30,
                index < 5 ? Powers(gridW: -3000, solarW: 5000) : Powers(gridW: 2000), circuits: [sample])
        }
        let slot = try #require(house.fold(emissions, slots: 1)[0])
        #expect(slot.powers.consumptionW == 2000)
        #expect(slot.circuits[0].percentage == 50)
    }

    @Test func `the remainder is absent while a top-level circuit is not measured`() throws {
        var house = House()
        house.catalog = CircuitCatalog(circuits: [CircuitIdentity(id: "a", name: "A")], version: 1)
        let missing = CircuitSample(circuit: 0, kind: .load)
        let emissions = (0...10).map {
            house.emission(at: Double($0) * 30, Powers(consumptionW: 2000), circuits: [missing])
        }
        let slot = try #require(house.fold(emissions, slots: 1)[0])
        #expect(slot.unmonitoredPowerW == nil)
        #expect(slot.circuits[0].powerW == nil)
    }
}
