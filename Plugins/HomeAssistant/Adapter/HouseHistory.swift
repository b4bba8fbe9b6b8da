import AdapterKit

/// Makes records of what Home Assistant's recorder kept, with the sensors and the rules of the present.
struct HouseHistory: Sendable {
    private let reader: HouseReader
    /// By entity id, as they were last seen with a unit.
    private let sensors: [String: SensorRow]
    private let circuits: [SensorRow]

    /// - Parameter circuits: the sensors that are circuits now.
    init(_ reader: HouseReader, sensors: [String: SensorRow], circuits: [SensorRow]) {
        self.reader = reader
        self.sensors = sensors
        self.circuits = circuits
    }

    /// What to ask for, each once.
    var entities: [String] {
        let house = reader.houseEntities.filter { sensors[$0] != nil }
        let wanted = Set(house + circuits.map(\.entityID)).filter(EntityID.isValid)
        return wanted.sorted()
    }

    /// The house over a time of which the states are known.
    struct Time: Sendable {
        fileprivate var grid: Segments?
        fileprivate var solar: Segments?
        fileprivate var battery: Segments?
        fileprivate var consumption: Segments?
        fileprivate var counters: [EnergyFlow: Segments] = [:]
        fileprivate var day: Segments?
        fileprivate var circuits: [(circuit: Circuit, power: Segments)] = []
    }

    /// - Parameters:
    ///   - tracks: the states of `entities`, from `stale` before the first record on.
    ///   - end: how far they reach.
    ///   - stale: nanoseconds after which a state that does not change is not measured any more: of a sensor of the
    ///     house by itself, of the others where nothing in the house has changed for so long. Home Assistant was down.
    func time(_ tracks: [String: StateTrack], end: Int64, stale: Int64) -> Time {
        let silences = Self.silences(tracks, stale)
        func segments(
            _ entity: String, _ factor: (String) -> Double?, isOfHouse: Bool = false
        ) -> Segments? {
            guard let factor = sensors[entity].flatMap({ factor($0.unit) }) else { return nil }
            let track = tracks[entity] ?? StateTrack(changes: [])
            return Segments(track, factor: factor, end: end) { at in
                isOfHouse ? at + stale : silences.first { $0 >= at } ?? end
            }
        }
        func power(_ source: Preferences.Source?) -> Segments? {
            switch source {
            case nil: return nil
            case .one(let entity, let isInverted):
                let power = segments(entity, Units.watts, isOfHouse: true)
                return isInverted ? power?.mapped { -$0 } : power
            case .pair(let positive, let negative):
                guard let plus = segments(positive, Units.watts, isOfHouse: true),
                    let minus = segments(negative, Units.watts, isOfHouse: true)
                else { return nil }
                return Segments(plus, minus) { $0 - $1 }
            }
        }
        var time = Time()
        time.grid = power(reader.preferences.grid)
        time.solar = power(reader.preferences.solar)
        time.battery = power(reader.preferences.battery)
        time.consumption = reader.total.flatMap { segments($0, Units.watts, isOfHouse: true) }
        for (flow, entity) in reader.preferences.energies { time.counters[flow] = segments(entity, Units.kWh) }
        time.day = reader.daily.flatMap { segments($0, Units.kWh) }
        time.circuits = circuits.map { row in
            (reader.rules.circuit(of: row), segments(row.entityID, Units.watts) ?? Segments())
        }
        return time
    }

    /// When nothing in the house had changed for `stale`, each time.
    private static func silences(_ tracks: [String: StateTrack], _ stale: Int64) -> [Int64] {
        let instants = tracks.values.flatMap(\.changes).map(\.at).sorted()
        let gaps = zip(instants, instants.dropFirst()).filter { $1 - $0 > stale }.map { $0.0 + stale }
        return gaps + (instants.last.map { [$0 + stale] } ?? [])
    }

    /// What there was in (end - period, end].
    func record(_ time: Time, end: Int64, period: Int64) -> Reading {
        var reading = Reading(known: reader.known)
        reading.quality = .backfilled
        reading.timestamp = end
        reading.period = period
        func sum(_ segments: Segments?) -> PeriodSum? { segments?.measure(end - period, end)?.sum }
        reading.circuits = time.circuits.map { circuit, power in
            var circuit = circuit
            circuit.set(sum(power))
            return circuit
        }
        reading.set(
            grid: sum(time.grid), solar: sum(time.solar), battery: sum(time.battery), consumption: sum(time.consumption)
        )
        if reading.consumptionPowerW == nil, reader.preferences.total == .sum {
            reading.consumptionPowerW = reader.sum(reading.circuits, \.powerW)
            reading.periodEnergy.consumptionKWh = reader.sum(reading.circuits, \.periodEnergyKWh)
        }
        for (flow, counter) in time.counters { reading.totalEnergy.set(flow, counter.value(at: end)) }
        reading.dayEnergyKWh = time.day?.value(at: end)
        return reading
    }
}

extension Segments.Measure {
    private static let wattNanosecondsPerKWh = 3.6e15
    fileprivate var sum: PeriodSum {
        PeriodSum(
            meanW: mean, positiveKWh: positive / Self.wattNanosecondsPerKWh,
            negativeKWh: negative / Self.wattNanosecondsPerKWh)
    }
}
