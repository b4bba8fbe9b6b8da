import Readings

/// How a slot lies in its tables: the one place that knows the order of the columns.
enum SlotRows {
    static let columns = """
        end, start, is_house, total_is, total_power_w, minimum_power_w, maximum_power_w, grid_power_w, solar_power_w, \
        battery_power_w, consumption_power_w, unmonitored_power_w, coverage, quality, imported_mj, exported_mj, \
        produced_mj, consumed_mj, charged_mj, discharged_mj, imported_total_mj, exported_total_mj, produced_total_mj, \
        consumed_total_mj, charged_total_mj, discharged_total_mj, day_mj, closing_day_mj, billed_mj, \
        circuit_count, circuits
        """
    static let count: Int32 = 31
    private static let flows: [Flow] = [.imported, .exported, .produced, .consumed, .charged, .discharged]

    /// Binds `columns` from `first` on; `circuits` as `CircuitCoding` makes them.
    static func bind(_ slot: Slot, circuits: [UInt8], to statement: Statement, from first: Int32) {
        let powers = slot.powers
        statement.bind(first, slot.end.nanoseconds)
        statement.bind(first + 1, slot.start.nanoseconds)
        statement.bind(first + 2, slot.isHouse ? 1 : 0 as Int64)
        statement.bind(first + 3, Int64(slot.totalIs.rawValue))
        let reals = [
            slot.totalPowerW, slot.minimumPowerW, slot.maximumPowerW, powers.gridW, powers.solarW, powers.batteryW,
            powers.consumptionW, slot.unmonitoredPowerW, slot.coverage,
        ]
        for (index, value) in reals.enumerated() { statement.bind(first + 4 + Int32(index), value) }
        statement.bind(first + 13, Int64(slot.quality.rawValue))
        for (index, flow) in flows.enumerated() {
            statement.bind(first + 14 + Int32(index), slot.energy[flow])
            statement.bind(first + 20 + Int32(index), slot.lifetime[flow])
        }
        statement.bind(first + 26, slot.dayEnergy)
        statement.bind(first + 27, slot.closingDayEnergy)
        statement.bind(first + 28, slot.billed)
        statement.bind(first + 29, Int64(slot.circuits.count))
        statement.bind(first + 30, circuits)
    }

    /// Reads `columns` from `first` on. Answers the slot and, beside its circuits, the ids of their names.
    static func slot(
        of instance: Int, in row: Statement, from first: Int32
    ) throws(StorageError) -> (slot: Slot, names: [Int64]) {
        var slot = Slot(
            instance: instance, start: Instant(nanoseconds: row.integer(first + 1)),
            end: Instant(nanoseconds: row.integer(first)), isHouse: row.integer(first + 2) != 0,
            totalIs: row.integer(first + 3) == 1 ? .grid : .consumption)
        slot.totalPowerW = row.optionalReal(first + 4)
        slot.minimumPowerW = row.optionalReal(first + 5)
        slot.maximumPowerW = row.optionalReal(first + 6)
        slot.powers = Powers(
            gridW: row.optionalReal(first + 7), solarW: row.optionalReal(first + 8),
            batteryW: row.optionalReal(first + 9), consumptionW: row.optionalReal(first + 10))
        slot.unmonitoredPowerW = row.optionalReal(first + 11)
        slot.coverage = row.real(first + 12)
        slot.quality = quality(row.integer(first + 13))
        for (index, flow) in flows.enumerated() {
            slot.energy[flow] = row.optionalInteger(first + 14 + Int32(index))
            slot.lifetime[flow] = row.optionalInteger(first + 20 + Int32(index))
        }
        slot.dayEnergy = row.optionalInteger(first + 26)
        slot.closingDayEnergy = row.optionalInteger(first + 27)
        slot.billed = row.optionalInteger(first + 28)
        guard let circuits = CircuitCoding.decodeSlot(row.blob(first + 30)) else {
            throw StorageError(.corrupt, "the circuits of the slot that ends at \(slot.end.seconds) cannot be read")
        }
        slot.circuits = circuits.map(\.circuit)
        return (slot, circuits.map(\.name))
    }

    static func quality(_ value: Int64) -> Quality {
        UInt8(exactly: value).flatMap(Quality.init(rawValue:)) ?? .unknown
    }
}
