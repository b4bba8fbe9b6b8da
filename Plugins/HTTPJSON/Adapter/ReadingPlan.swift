import AdapterKit

/// Which numbers of a reading stand where in an answer.
struct ReadingPlan: Sendable {
    /// A number of a reading that a setting of its own gives the place of.
    private struct Number: Sendable {
        var setting: String
        var quantity: Formula.Quantity
        var help: String
        /// For a power.
        var known: KnownPowers = []
        var store: @Sendable (inout Reading, Double?) -> Void
    }

    private static let numbers: [Number] = [
        Number(
            setting: "grid", quantity: .powerW, help: "Where the grid's power stands, + import; -path turns its sign",
            known: .grid, store: { $0.gridPowerW = $1 }),
        Number(
            setting: "solar", quantity: .powerW, help: "Where the roof's power stands, + production", known: .solar,
            store: { $0.solarPowerW = $1 }),
        Number(
            setting: "battery", quantity: .powerW, help: "Where the battery's power stands, + discharge",
            known: .battery, store: { $0.batteryPowerW = $1 }),
        Number(
            setting: "consumption", quantity: .powerW,
            help: "Where the house's own power stands; not needed beside grid, solar and battery", known: .consumption,
            store: { $0.consumptionPowerW = $1 }),
        Number(
            setting: "import_total", quantity: .energyKWh, help: "Lifetime counter of what was bought",
            store: { $0.totalEnergy.importKWh = $1 }),
        Number(
            setting: "export_total", quantity: .energyKWh, help: "Lifetime counter of what was sold",
            store: { $0.totalEnergy.exportKWh = $1 }),
        Number(
            setting: "production_total", quantity: .energyKWh, help: "Lifetime counter of the roof",
            store: { $0.totalEnergy.productionKWh = $1 }),
        Number(
            setting: "consumption_total", quantity: .energyKWh, help: "Lifetime counter of the house's consumption",
            store: { $0.totalEnergy.consumptionKWh = $1 }),
        Number(
            setting: "charge_total", quantity: .energyKWh, help: "Lifetime counter of what the battery took",
            store: { $0.totalEnergy.chargeKWh = $1 }),
        Number(
            setting: "discharge_total", quantity: .energyKWh, help: "Lifetime counter of what the battery gave",
            store: { $0.totalEnergy.dischargeKWh = $1 }),
        Number(
            setting: "day_energy", quantity: .energyKWh, help: "The meter's own counter of today's consumption",
            store: { $0.dayEnergyKWh = $1 }),
        Number(
            setting: "frequency", quantity: .frequencyHz, help: "Where the mains' frequency stands",
            store: { $0.frequencyHz = $1 }),
    ]

    static let settings: [Setting] =
        numbers.map { Setting($0.setting, .text, help: $0.help) } + [
            Setting("voltages", .list, help: "Where the voltages of up to three phases stand"),
            Setting(
                "circuits", .text,
                help: "name = power; energy, comma-separated, such as hp:Heat pump (heating) = hp.watts; hp.kwh"),
            Setting("circuit_list", .text, help: "A list whose elements are circuits; the paths below begin at one"),
            Setting(
                "circuit_id", .text, default: "id", help: "What tells a circuit of the list from the others for good"),
            Setting("circuit_name", .text, help: "Its name; default: its id"),
            Setting("circuit_power", .text, help: "Its power"),
            Setting("circuit_energy", .text, help: "Its lifetime counter"),
            Setting(
                "time", .text, help: "When it was measured, as seconds since 1970, or with ms behind it milliseconds"),
        ]

    let known: KnownPowers
    private var formulas: [(number: Number, formula: Formula)] = []
    private let voltages: [Formula]
    private let circuits: [CircuitPlan]
    private let list: CircuitList?
    private let time: Timestamp?

    init(_ host: AdapterHost) throws(AdapterError) {
        var known: KnownPowers = []
        for number in Self.numbers {
            guard let formula = try Self.formula(number.setting, number.quantity, host) else { continue }
            formulas.append((number, formula))
            known.formUnion(number.known)
        }
        self.known = known
        voltages = try Self.each("voltages", ",", host) { (text) throws(ValuePath.Fault) in try Formula(text, .voltageV)
        }
        circuits = try Self.each("circuits", ",", host, CircuitPlan.init)
        list = try Self.list(host)
        time = try Self.read("time", host) { (text) throws(ValuePath.Fault) in try Timestamp(text) }
        guard Set(circuits.map(\.identity)).count == circuits.count else {
            throw AdapterError(.misconfigured, "HTTP_JSON_CIRCUITS names a circuit twice")
        }
        guard !formulas.isEmpty || !circuits.isEmpty || list != nil else {
            throw AdapterError(
                .misconfigured,
                "nothing to read is set: HTTP_JSON_GRID, HTTP_JSON_CONSUMPTION, HTTP_JSON_CIRCUITS or another place")
        }
    }

    /// What the answer says. What is missing is told by its path.
    func reading(_ json: JSON, missing: (String) -> Void) -> Reading {
        var reading = Reading(known: known)
        for (number, formula) in formulas { number.store(&reading, formula.value(in: json, missing: missing)) }
        reading.voltagesV = voltages.prefix(3).map { $0.value(in: json, missing: missing) }
        reading.circuits = circuits.map { $0.circuit(in: json, missing: missing) }
        var ids = Set(reading.circuits.map(\.id))
        reading.circuits += (list?.circuits(in: json, missing: missing) ?? []).filter { ids.insert($0.id).inserted }
        reading.timestamp = time?.nanoseconds(in: json, missing: missing)
        return reading
    }

    // MARK: Settings

    private static func list(_ host: AdapterHost) throws(AdapterError) -> CircuitList? {
        func path(_ name: String) throws(AdapterError) -> ValuePath? {
            try read(name, host) { (text) throws(ValuePath.Fault) in try ValuePath(text) }
        }
        guard let list = try path("circuit_list"), let id = try path("circuit_id") else { return nil }
        let power = try formula("circuit_power", .powerW, host)
        let energy = try formula("circuit_energy", .energyKWh, host)
        guard power != nil || energy != nil else {
            throw AdapterError(
                .misconfigured, "HTTP_JSON_CIRCUIT_LIST wants HTTP_JSON_CIRCUIT_POWER or HTTP_JSON_CIRCUIT_ENERGY, too")
        }
        return CircuitList(list: list, id: id, name: try path("circuit_name"), power: power, energy: energy)
    }

    private static func formula(
        _ name: String, _ quantity: Formula.Quantity, _ host: AdapterHost
    ) throws(AdapterError) -> Formula? {
        try read(name, host) { (text) throws(ValuePath.Fault) in try Formula(text, quantity) }
    }

    private static func each<Value>(
        _ name: String, _ separator: Character, _ host: AdapterHost, _ make: (String) throws(ValuePath.Fault) -> Value
    ) throws(AdapterError) -> [Value] {
        var values: [Value] = []
        for part in Split.parts(host.setting(name) ?? "", at: separator) {
            values.append(try named(name, part, make))
        }
        return values
    }

    private static func read<Value>(
        _ name: String, _ host: AdapterHost, _ make: (String) throws(ValuePath.Fault) -> Value
    ) throws(AdapterError) -> Value? {
        guard let text = host.setting(name), !text.isEmpty else { return nil }
        return try named(name, text, make)
    }

    private static func named<Value>(
        _ name: String, _ text: String, _ make: (String) throws(ValuePath.Fault) -> Value
    ) throws(AdapterError) -> Value {
        do throws(ValuePath.Fault) {
            return try make(text)
        } catch {
            throw AdapterError(
                .misconfigured, "HTTP_JSON_\(name.uppercased()): '\(text.prefix(80))' \(error.reason)")
        }
    }
}

/// Where an answer says when it was measured.
private struct Timestamp: Sendable {
    private let path: ValuePath
    private let isMilliseconds: Bool

    init(_ text: String) throws(ValuePath.Fault) {
        let words = Split.words(text)
        guard let first = words.first, words.count == 1 || words.count == 2 && ["s", "ms"].contains(words[1]) else {
            throw ValuePath.Fault(reason: "must be a path, with s or ms behind it")
        }
        path = try ValuePath(String(first))
        isMilliseconds = words.last == "ms" && words.count == 2
    }

    /// Nil where there is none that makes sense: the reading is then of now.
    func nanoseconds(in json: JSON, missing: (String) -> Void) -> Int64? {
        guard let value = path.values(in: json)?.first, let number = Formula.number(value), number > 0,
            let nanoseconds = Int64(exactly: (number * (isMilliseconds ? 1e6 : 1e9)).rounded())
        else {
            missing("\(path.text) is no time")
            return nil
        }
        return nanoseconds
    }
}
