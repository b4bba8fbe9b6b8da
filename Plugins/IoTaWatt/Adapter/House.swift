import AdapterKit

/// Makes readings of rows of the log. What is known is decided when the adapter starts, and stays.
struct House: Sendable {
    /// A series that a quantity is made of: its column, and +1 or -1.
    private struct Part: Sendable {
        var column: Int
        var factor: Double
    }

    private struct Branch: Sendable {
        var circuit: Circuit
        var part: Part
        /// Of its volt-amperes.
        var apparent: Int?
    }

    let known: KnownPowers
    /// What a live query asks for.
    let columns: [String]
    /// What a query for history asks for.
    let historyColumns: [String]
    /// Series whose energy is in rows of history too: the columns of their watts and of their watt hours.
    private let weighed: [(watts: Int, wattHours: Int)]
    private let grid: [Part]
    private let consumption: [Part]
    private let solar: [Part]
    private let battery: [Part]
    private let branches: [Branch]
    private let volts: [Int]
    private let hertz: Int?

    /// - Parameters:
    ///   - known: of the run so far, which does not change; nil = this is the first time.
    ///   - orientation: series that count production as negative.
    init(_ setup: HouseSetup, orientation: [String: Bool], known: KnownPowers?) {
        var table = ColumnTable()
        func parts(_ role: HouseSetup.Role, _ table: inout ColumnTable) -> [Part] {
            role.names.map { name in
                let isInverted = name.isInverted ?? orientation[name.series] ?? false
                return Part(column: table.place("\(name.series).watts"), factor: isInverted ? -1 : 1)
            }
        }
        grid = parts(setup.grid, &table)
        consumption = parts(setup.consumption, &table)
        solar = parts(setup.solar, &table)
        battery = parts(setup.battery, &table)
        var branches = setup.circuits.map { name in
            Self.branch(name, setup, orientation, column: table.place("\(name).watts"))
        }
        var history = table
        weighed = (grid + consumption + solar + battery).map { part in
            let name = table.columns[part.column].dropLast("watts".count)
            return (part.column, history.place("\(name)wh.d3"))
        }
        historyColumns = history.columns
        let inputs = Set(setup.inputs.map(\.series.name))
        for index in branches.indices where inputs.contains(branches[index].circuit.name) {
            branches[index].apparent = table.place("\(branches[index].circuit.name).va")
        }
        self.branches = branches
        let voltages = setup.inputs.filter { $0.series.unit == .volts }.prefix(3).map(\.series.name)
        volts = voltages.map { table.place("\($0).volts") }
        hertz = voltages.first.map { table.place("\($0).hz") }
        columns = table.columns
        var found = KnownPowers()
        if !grid.isEmpty { found.insert(.grid) }
        if !consumption.isEmpty { found.insert(.consumption) }
        if !solar.isEmpty { found.insert(.solar) }
        if !battery.isEmpty { found.insert(.battery) }
        self.known = known ?? found
    }

    /// Identified by the number of its input: names change. An output has nothing but its name.
    private static func branch(
        _ name: String, _ setup: HouseSetup, _ orientation: [String: Bool], column: Int
    ) -> Branch {
        let id = setup.inputs.first { $0.series.name == name }.map { "input_\($0.channel)" } ?? "output_\(name)"
        var circuit = Circuit(id: id, name: name, kind: RoleNames.kind(name))
        var isInverted = circuit.kind == .solar && orientation[name] ?? false
        let roles: [(HouseSetup.Role, Circuit.Kind)] = [
            (setup.grid, .grid), (setup.solar, .solar), (setup.battery, .battery), (setup.consumption, .total),
        ]
        for (role, kind) in roles {
            guard let place = role.names.firstIndex(where: { $0.series == name }) else { continue }
            circuit.kind = kind
            isInverted = role.names[place].isInverted ?? orientation[name] ?? false
            if kind == .grid, (2...3).contains(role.names.count) { circuit.phase = UInt32(place + 1) }
        }
        return Branch(circuit: circuit, part: Part(column: column, factor: isInverted ? -1 : 1))
    }

    /// The reading of a stretch of the log; nil where nothing of it was measured.
    ///
    /// - Parameters:
    ///   - rows: those of the stretch that the log has, each `group` seconds long.
    ///   - seconds: the length of the stretch.
    ///   - isHistory: the rows have the columns of history.
    func reading(_ rows: ArraySlice<LogRows.Row>, group: Int, seconds: Int, isHistory: Bool) -> Reading? {
        guard rows.contains(where: \.isMeasured) else { return nil }
        let weights = rows.map { isHistory ? measuredSeconds($0, group) : Double(group) }
        let stretch = Stretch(rows: rows, weights: weights, seconds: Double(seconds))
        func sum(_ parts: [Part]) -> PeriodSum? {
            guard !parts.isEmpty else { return nil }
            return stretch.sum { row in
                var sum = 0.0
                for part in parts {
                    guard let value = row.values[part.column] else { return nil }
                    sum += part.factor * value
                }
                return sum
            }
        }
        var reading = Reading(known: known)
        reading.period = Int64(seconds) * 1_000_000_000
        reading.set(grid: sum(grid), solar: sum(solar), battery: sum(battery), consumption: sum(consumption))
        reading.circuits = branches.map { circuit($0, sum([$0.part]), isHistory ? nil : stretch) }
        if isHistory { return reading }
        reading.voltagesV = volts.map { column in stretch.mean(column) }
        reading.frequencyHz = hertz.flatMap { column in stretch.mean(column) }
        return reading
    }

    /// How much of a row the log has: in a minute in which the device was off for a while, watts are the mean of the
    /// rest, and watt hours its energy.
    private func measuredSeconds(_ row: LogRows.Row, _ group: Int) -> Double {
        let energies = weighed.compactMap { column -> (watts: Double, wattHours: Double)? in
            guard let watts = row.values[column.watts], let wattHours = row.values[column.wattHours] else { return nil }
            return (watts, wattHours)
        }
        guard let largest = energies.max(by: { abs($0.watts) < abs($1.watts) }), abs(largest.watts) >= Self.leastWatts,
            abs(largest.watts) * Double(group) / 3600 >= Self.leastWattHours
        else { return Double(group) }
        let seconds = largest.wattHours / largest.watts * 3600
        // What rounding makes of a whole row is a whole row.
        return seconds > 0.99 * Double(group) ? Double(group) : max(0, seconds)
    }

    /// From here on what the device rounds is less than a part in a hundred.
    private static let leastWatts = 20.0
    private static let leastWattHours = 0.1

    /// - Parameter stretch: of live rows; nil = there are no columns but power.
    private func circuit(_ branch: Branch, _ sum: PeriodSum?, _ stretch: Stretch?) -> Circuit {
        var circuit = branch.circuit
        circuit.set(sum)
        guard let sum else { return circuit }
        // Of a few volt-amperes it is noise.
        if let apparent = branch.apparent.flatMap({ column in stretch?.mean(column) }), apparent >= 1 {
            circuit.powerFactor = max(-1, min(1, sum.meanW / apparent))
        }
        return circuit
    }
}

/// The columns of a query, each once.
private struct ColumnTable {
    private(set) var columns: [String] = []
    private var places: [String: Int] = [:]

    mutating func place(_ column: String) -> Int {
        if let place = places[column] { return place }
        places[column] = columns.count
        columns.append(column)
        return columns.count - 1
    }
}

/// Rows that follow each other, and what they add up to.
private struct Stretch {
    let rows: ArraySlice<LogRows.Row>
    /// For how many seconds each was measured.
    let weights: [Double]
    let seconds: Double

    /// Mean and energies by sign; nil where less than four fifths of the stretch are measured. Nothing is added for what
    /// is not.
    func sum(_ value: (LogRows.Row) -> Double?) -> PeriodSum? {
        var measured = 0.0
        var positive = 0.0
        var negative = 0.0
        for (row, weight) in zip(rows, weights) {
            guard let value = value(row) else { continue }
            measured += weight
            if value > 0 { positive += value * weight } else { negative -= value * weight }
        }
        guard isEnough(measured) else { return nil }
        return PeriodSum(
            meanW: (positive - negative) / measured, positiveKWh: positive / 3_600_000,
            negativeKWh: negative / 3_600_000)
    }

    func mean(_ column: Int) -> Double? {
        var measured = 0.0
        var sum = 0.0
        for (row, weight) in zip(rows, weights) {
            guard let value = row.values[column] else { continue }
            measured += weight
            sum += value * weight
        }
        return isEnough(measured) ? sum / measured : nil
    }

    private func isEnough(_ measured: Double) -> Bool { measured > 0 && measured >= 0.8 * seconds - 0.001 }
}
