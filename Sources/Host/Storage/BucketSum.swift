import Analysis
import Readings

/// What the new slots of one commit add to a bucket, so that a bucket costs one row a commit and not one a slot.
struct BucketSum {
    /// A power over the time in which it was measured.
    private struct Power {
        /// Watt-nanoseconds, and nanoseconds.
        var sum = 0.0
        var time = 0.0
        var minimum: Double?
        var maximum: Double?

        mutating func add(_ mean: Double?, minimum low: Double?, maximum high: Double?, time covered: Double) {
            time += covered
            guard let mean else { return }
            sum += mean * covered
            if let low { minimum = min(minimum ?? low, low) }
            if let high { maximum = max(maximum ?? high, high) }
        }

        /// Binds mean, minimum, maximum and covered seconds.
        func bind(to statement: Statement, from first: Int32) {
            statement.bind(first, minimum == nil || time == 0 ? nil : sum / time)
            statement.bind(first + 1, minimum)
            statement.bind(first + 2, maximum)
            statement.bind(first + 3, time / 1e9)
        }
    }

    private struct Circuit {
        var energy: Millijoules?
        var returned: Millijoules?
        var power = Power()
    }

    private var energy = Flows<Millijoules?>(repeating: nil)
    private var billed: Millijoules?
    private var isHouse = false
    private var power = Power()
    private var circuits: [Int32: Circuit] = [:]

    mutating func add(_ slot: Slot) {
        let length = Double(slot.length)
        for flow in Flow.allCases { energy[flow] = Self.sum(energy[flow], slot.energy[flow]) }
        billed = Self.sum(billed, slot.billed)
        if slot.isHouse { isHouse = true }
        power.add(
            slot.totalPowerW, minimum: slot.minimumPowerW, maximum: slot.maximumPowerW, time: slot.coverage * length)
        for circuit in slot.circuits {
            var sum = circuits[circuit.circuit] ?? Circuit()
            sum.energy = Self.sum(sum.energy, circuit.energy)
            sum.returned = Self.sum(sum.returned, circuit.returned)
            sum.power.add(
                circuit.powerW, minimum: circuit.minimumPowerW, maximum: circuit.maximumPowerW,
                time: Double(circuit.coverage) * length)
            circuits[circuit.circuit] = sum
        }
    }

    func write(_ key: Buckets.Key, prices: PriceList?, in database: Database) throws(StorageError) {
        let house = try database.statement(Self.addHouse)
        house.bind(1, Int64(key.instance))
        house.bind(2, key.start.nanoseconds)
        for (index, flow) in Flow.allCases.enumerated() { house.bind(3 + Int32(index), energy[flow]) }
        house.bind(9, billed)
        power.bind(to: house, from: 10)
        Buckets.bind(isHouse ? prices?.prices(at: key.start) : nil, to: house, from: 14)
        try house.run()
        let circuit = try database.statement(Self.addCircuit)
        for (number, sum) in circuits {
            circuit.bind(1, Int64(key.instance))
            circuit.bind(2, Int64(number))
            circuit.bind(3, key.start.nanoseconds)
            circuit.bind(4, sum.energy)
            circuit.bind(5, sum.returned)
            sum.power.bind(to: circuit, from: 6)
            try circuit.run()
        }
    }

    /// Not measured adds nothing, and two unknowns stay one.
    private static func sum(_ first: Millijoules?, _ second: Millijoules?) -> Millijoules? {
        guard let first, let second else { return first ?? second }
        return first + second
    }

    private static let addPower = """
        mean_w = CASE WHEN excluded.mean_w IS NULL THEN mean_w WHEN mean_w IS NULL THEN excluded.mean_w
            ELSE (mean_w * covered_s + excluded.mean_w * excluded.covered_s) / (covered_s + excluded.covered_s) END,
        minimum_w = min(ifnull(minimum_w, excluded.minimum_w), ifnull(excluded.minimum_w, minimum_w)),
        maximum_w = max(ifnull(maximum_w, excluded.maximum_w), ifnull(excluded.maximum_w, maximum_w)),
        covered_s = covered_s + excluded.covered_s
        """

    private static func addEnergy(_ column: String) -> String {
        "\(column) = CASE WHEN excluded.\(column) IS NULL THEN \(column) ELSE ifnull(\(column), 0) + excluded.\(column) END"
    }

    /// In the order of `Flow`, and what is paid for.
    private static let columns = [
        "imported_mj", "exported_mj", "produced_mj", "consumed_mj", "charged_mj", "discharged_mj", "billed_mj",
    ]

    private static let addHouse = """
        INSERT INTO bucket (
            instance, start, \(columns.joined(separator: ", ")), mean_w, minimum_w, maximum_w, covered_s,
            import_price, export_price, fixed_price)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (instance, start) DO UPDATE
        SET \(columns.map(addEnergy).joined(separator: ", ")), \(addPower), \(Buckets.keepPrices)
        """

    private static let addCircuit = """
        INSERT INTO bucket_circuit (
            instance, circuit, start, energy_mj, returned_mj, mean_w, minimum_w, maximum_w, covered_s)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (instance, circuit, start) DO UPDATE
        SET \(addEnergy("energy_mj")), \(addEnergy("returned_mj")), \(addPower)
        """
}
