import Observability
package import Readings

/// Power and energy over time, for the total and for circuits.
package struct HistoryReport: Sendable {
    package var instance: String
    package var zone: String
    package var resolution: String
    package var from: Instant
    package var to: Instant
    package var series: [Series]

    package init(
        instance: String, zone: String, resolution: String, from: Instant, to: Instant, series: [Series]
    ) {
        self.instance = instance
        self.zone = zone
        self.resolution = resolution
        self.from = from
        self.to = to
        self.series = series
    }

    package struct Series: Sendable {
        package var id: String
        package var name: String
        package var kind: CircuitKind
        package var parentID = ""
        package var isCircuit: Bool

        package init(id: String, name: String, kind: CircuitKind, parentID: String = "", isCircuit: Bool) {
            self.id = id
            self.name = name
            self.kind = kind
            self.parentID = parentID
            self.isCircuit = isCircuit
        }
    }

    /// One value of each list for each series.
    package struct Period: Sendable {
        package var start: Instant
        package var end: Instant
        package var values: [Value]

        package init(start: Instant, end: Instant, values: [Value]) {
            self.start = start
            self.end = end
            self.values = values
        }
    }

    /// What one series did in one period. Nil = not measured.
    package struct Value: Sendable {
        package var powerW: Double?
        package var minimumPowerW: Double?
        package var maximumPowerW: Double?
        package var energyKWh: Double?
        package var returnedKWh: Double?
        /// 0 to 1.
        package var coverage = 0.0
        package var quality = Quality.unknown

        package init() {}
    }

    /// What a request asks for.
    package struct Question: Sendable {
        package enum Resolution: String, CaseIterable, Sendable {
            case raw
            case quarter = "15m"
            case hour = "1h"
            case day = "1d"
            case month = "1mo"
        }

        package enum Selection: Hashable, Sendable {
            case total
            case unmonitored
            case all
            case circuit(String)
        }

        /// Nil = the house.
        package var instance: String?
        package var selections: [Selection]
        package var resolution: Resolution
        package var from: Instant
        package var to: Instant
        /// Values in the answer at most.
        package var limit: Int
    }
}

/// A history as it is read: what it is of, and then its periods, oldest first. Confined to the query thread.
package protocol HistorySource {
    var report: HistoryReport { get }
    /// Hands over some periods, until `deadline` (monotonic ns) or until `body` answers false. Answers whether there may
    /// be more.
    mutating func read(until deadline: Int64, _ body: (HistoryReport.Period) -> Bool) throws(Problem) -> Bool
}

extension HistoryReport {
    static let schema = Schema.object(
        name: "History",
        properties: header.fields.map(\.property) + [
            Schema.Property(
                name: "periods", about: "Those in which something was stored, oldest first",
                schema: .list(Period.shape.schema))
        ])

    /// All but the periods.
    static let header = Shape<Self>(
        "HistoryHeader",
        [
            .text("instance") { $0.instance },
            .text("time_zone") { $0.zone },
            .word("resolution", Question.Resolution.allCases.map(\.rawValue)) { $0.resolution },
            .time("from", "Where the first period may begin") { $0.from },
            .time("to", "Nothing after it counts: the end of a quarter hour, but for raw") { $0.to },
            .list("series", Series.shape, "In the order of each list of a period") { $0.series },
        ])
}

extension HistoryReport.Series {
    fileprivate static let shape = Shape<Self>(
        "Series",
        [
            .text("id", "A circuit's id, `total` or `unmonitored`") { $0.id },
            .text("name") { $0.name },
            .word("kind", Words.kinds) { $0.kind.word },
            .text("parent_id", "The circuit that it hangs on; empty: directly below the mains") { $0.parentID },
            .flag("is_circuit") { $0.isCircuit },
        ])
}

extension HistoryReport.Period {
    static let shape = Shape<Self>(
        "Period",
        [
            .time("start") { $0.start },
            .time("end") { $0.end },
            values("power_w", "Mean over the time that was measured") { $0.powerW },
            values("minimum_power_w") { $0.minimumPowerW },
            values("maximum_power_w") { $0.maximumPowerW },
            values("energy_kwh", "In the kind's positive direction; of the total: its use") { $0.energyKWh },
            values("returned_kwh", "In the other direction") { $0.returnedKWh },
            Shape.Field("coverage", "Measured part of the period, 0 to 1", .list(.number)) { period, json in
                json.beginArray()
                for value in period.values { json.value(value.coverage) }
                json.endArray()
            },
            Shape.Field("quality", "The worst of what it is made of", .list(.word(Words.qualities))) { period, json in
                json.beginArray()
                for value in period.values { json.value(value.quality.word) }
                json.endArray()
            },
        ])

    private static func values(
        _ name: String, _ about: String = "", _ get: @escaping @Sendable (HistoryReport.Value) -> Double?
    ) -> Shape<Self>.Field {
        Shape.Field(name, about, .list(.nullable(.number))) { period, json in
            json.beginArray()
            for value in period.values { json.value(get(value)) }
            json.endArray()
        }
    }
}
