import Foundation
import TestSupport
import Testing

/// A day of a house, each figure of which was worked out on paper.
///
/// Sunday 2026-06-14 in Berlin; powers in watts, constant within each row. The grid is the sum of its phases, and
/// consumption = grid + solar + battery.
///
///     hours  |    L1    L2    L3 |  grid solar battery = use |   EV  heat (compressor) garage (dryer) server | remainder
///     00-03  |   300  2500   200 |  3000     0       0  3000 | 2000   500  450         100      0      150   |   250
///     03-04  |   100    50    50 |   200     0       0   200 |    0     0    0          20      0      150   |    30
///     04-08  |   400   300   300 |  1000     0       0  1000 |    0   600  550          50      0      150   |   200
///     08-12  |  -900   200  -800 | -1500  4000   -1500  1000 |    0   400  360          80      0      150   |   370
///     12-14  | -1000  -500   500 | -1000  5000    -500  3500 |    0   300  270        2600   2500     dead   |   n/a
///     14-18  |   100  -400  -200 |  -500  2000       0  1500 |    0   700  640          60      0     dead   |   n/a
///     18-22  |   200   500   100 |   800     0    1200  2000 |    0  1000  900          90      0     dead   |   n/a
///     22-24  |  4000   400   300 |  4700     0     300  5000 | 4000   500  460          40      0     dead   |   n/a
///
/// The compressor hangs on the heat pump and the dryer on the garage's panel: neither counts for the remainder, which is
/// use less EV, heat pump, garage and server, and absent once the server's sensor has died at noon.
private enum Day {
    struct Row {
        let hours: Range<Int>
        let phases: [Double]
        let solar: Double
        let battery: Double
        let ev: Double
        let heatPump: Double
        let compressor: Double
        let garage: Double
        let dryer: Double
        let server: Double?

        var grid: Double { phases.reduce(0, +) }
    }

    static let rows = [
        Row(
            hours: 0..<3, phases: [300, 2500, 200], solar: 0, battery: 0, ev: 2000, heatPump: 500, compressor: 450,
            garage: 100, dryer: 0, server: 150),
        Row(
            hours: 3..<4, phases: [100, 50, 50], solar: 0, battery: 0, ev: 0, heatPump: 0, compressor: 0,
            garage: 20, dryer: 0, server: 150),
        Row(
            hours: 4..<8, phases: [400, 300, 300], solar: 0, battery: 0, ev: 0, heatPump: 600, compressor: 550,
            garage: 50, dryer: 0, server: 150),
        Row(
            hours: 8..<12, phases: [-900, 200, -800], solar: 4000, battery: -1500, ev: 0, heatPump: 400,
            compressor: 360, garage: 80, dryer: 0, server: 150),
        Row(
            hours: 12..<14, phases: [-1000, -500, 500], solar: 5000, battery: -500, ev: 0, heatPump: 300,
            compressor: 270, garage: 2600, dryer: 2500, server: nil),
        Row(
            hours: 14..<18, phases: [100, -400, -200], solar: 2000, battery: 0, ev: 0, heatPump: 700,
            compressor: 640, garage: 60, dryer: 0, server: nil),
        Row(
            hours: 18..<22, phases: [200, 500, 100], solar: 0, battery: 1200, ev: 0, heatPump: 1000,
            compressor: 900, garage: 90, dryer: 0, server: nil),
        Row(
            hours: 22..<24, phases: [4000, 400, 300], solar: 0, battery: 300, ev: 4000, heatPump: 500,
            compressor: 460, garage: 40, dryer: 0, server: nil),
    ]

    /// 2026-06-14T00:00+02:00.
    static let start: Int64 = 1_781_388_000

    /// What the adapter reads: a reading every five minutes, and five hours of the next day.
    static var diary: String {
        var lines = [
            "circuit l1 4 1 - Phase 1", "circuit l2 4 2 - Phase 2", "circuit l3 4 3 - Phase 3", "circuit ev 2 0 - Car",
            "circuit hp 3 0 - Heat pump", "circuit compressor 3 0 hp Compressor", "circuit garage 1 0 - Garage",
            "circuit dryer 1 0 garage Dryer", "circuit server 1 0 - Server",
        ]
        for minute in stride(from: 5, through: 24 * 60, by: 5) {
            // A reading is of the five minutes before it.
            guard let row = rows.first(where: { $0.hours.contains((minute - 1) / 60) }) else { continue }
            let powers =
                row.phases + [row.ev, row.heatPump, row.compressor, row.garage, row.dryer]
            let texts = powers.map { "\($0)" } + [row.server.map { "\($0)" } ?? "-"]
            lines.append(
                "at \(start + Int64(minute) * 60) \(row.grid) \(row.solar) \(row.battery) \(texts.joined(separator: " "))"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    // kWh of the day, row by row:
    //   import       9 + 0.2 + 4 + 0 + 0 + 0 + 3.2 + 9.4       (3 h x 3, 1 h x 0.2, 4 h x 1, ..., 4 h x 0.8, 2 h x 4.7)
    //   export       4 h x 1.5 + 2 h x 1 + 4 h x 0.5           = 6 + 2 + 2
    //   production   4 h x 4 + 2 h x 5 + 4 h x 2               = 16 + 10 + 8
    //   charge       4 h x 1.5 + 2 h x 0.5                     = 6 + 1
    //   discharge    4 h x 1.2 + 2 h x 0.3                     = 4.8 + 0.6
    //   consumption  9 + 0.2 + 4 + 4 + 7 + 6 + 8 + 10          = 25.8 - 10 + 34 + 5.4 - 7
    static let imported = 25.8
    static let exported = 10.0
    static let produced = 34.0
    static let charged = 7.0
    static let discharged = 5.4
    static let consumed = 48.2

    // kWh of the circuits:
    //   L1 import    0.9 + 0.1 + 1.6 + 0.4 + 0.8 + 8           = 11.8; L1, L2, L3 added up would be 28.0, not 25.8
    //   EV           3 h x 2 + 2 h x 4                         = 14
    //   heat pump    1.5 + 0 + 2.4 + 1.6 + 0.6 + 2.8 + 4 + 1   = 13.9
    //   compressor   1.35 + 0 + 2.2 + 1.44 + 0.54 + 2.56 + 3.6 + 0.92 = 12.61
    //   garage       0.3 + 0.02 + 0.2 + 0.32 + 5.2 + 0.24 + 0.36 + 0.08 = 6.72
    //   dryer        2 h x 2.5                                 = 5
    //   server       12 h x 0.15                               = 1.8
    static let circuits = [
        "Phase 1": 11.8, "Phase 2": 12.35, "Phase 3": 3.85, "Car": 14, "Heat pump": 13.9, "Compressor": 12.61,
        "Garage": 6.72, "Dryer": 5, "Server": 1.8,
    ]

    // kWh that L1 exports: 4 h x 0.9 + 2 h x 1.
    static let returned = 5.6
    // kWh of the remainder, as long as the server is measured: 3 h x 0.25 + 1 h x 0.03 + 4 h x 0.2 + 4 h x 0.37.
    static let unmonitored = 3.06

    // Money: 0.20 a kWh from 22 to 6, else 0.32; 0.08 for a kWh sold; 0.45 a day.
    //   cheap        9 + 0.2 + 2 (04-06) + 9.4 = 20.6 kWh x 0.20 = 4.12
    //   dear         2 (06-08) + 3.2           =  5.2 kWh x 0.32 = 1.664
    //   sold         10 kWh x 0.08 = 0.80
    static let importCost = 5.784
    static let earnings = 0.8
    static let cost = 5.784 - 0.8 + 0.45
}

@Suite("A house worked out by hand", .serialized)
struct HouseByHandTests {
    private static let second: Int64 = 1_000_000_000

    @Test("Its day in InfluxDB, in /consumption, in the API and in the store is the one on paper")
    func day() throws {
        let folder = try TemporaryDirectory("diary")
        // Among the release's adapters, which run in the host's process: a child has no part in the test's clock.
        let prefix = try InstalledPrefix()
        try CAdapter.build("diary.c", as: "diary.so", in: prefix.adapters)
        try folder.write("diary", Day.diary)
        let clock = try TestClock(Double(Day.start) + 1)
        let influx = try InfluxServer()
        let settings = [
            "METER_TYPE": "diary", "DIARY_FILE": folder.file("diary").path,
            "INFLUXDB_URL": influx.url, "INFLUXDB_API": "v1", "TZ": "Europe/Berlin", "TARIFF_PER_KWH": "0.32",
            "TARIFF_BANDS": "22:00-06:00=0.20", "TARIFF_EXPORT_PER_KWH": "0.08", "TARIFF_FIXED_PER_DAY": "0.45",
            "TARIFF_CURRENCY": "EUR", "HIGH_POWER_THRESHOLD_W": "4500", "PHANTOM_THRESHOLD_W": "150",
        ]
        let host = try HostProcess(settings.merging(clock.settings) { $1 }, program: prefix.program)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        // The day goes by in leaps of an hour, each once the last one is stored.
        for hour in 1...24 {
            let end = Day.start + Int64(hour) * 3600
            if hour == 24 { try checkEvening(host, clock) }
            // The night is judged 90 s after its hour: in the leap after.
            try clock.set(Double(end) + 50)
            try waitUntil("hour \(hour); the log:\n\(host.log.suffix(2000))", within: 20) {
                try store.newestOrNone() >= end * Self.second
            }
        }
        let last = (Day.start + 86_400) * Self.second
        try waitUntil("the delivery of all; the log:\n\(host.log.suffix(2000))", within: 30) {
            try influx.points("smart_meter").last?.time == last
        }
        try checkHouse(try influx.points("smart_meter"))
        try checkCircuits(try influx.points("smart_meter_circuit"))
        try checkAlerts(try influx.points("smart_meter_alert"))
        try checkStore(store)
        try checkEnergy(host)
        try checkHistory(host)
        try checkAlertsAndNights(host)
        try DashboardTests.check("house", host)
    }

    /// At 23:59:50 the reading of 23:55 is the newest.
    private func checkEvening(_ host: HostProcess, _ clock: TestClock) throws {
        try clock.set(Double(Day.start) + 86_390)
        // A reading is shown at once; the day's energy follows once it has been added up.
        try host.waitForConsumption("the evening; the log:\n\(host.log.suffix(2000))") {
            $0["timestamp"] as? String == "2026-06-14T21:55:00.000Z" && $0["daily_kwh"] as? Double ?? 0 > 47.78
        }
        let consumption = try #require(try host.consumption())
        #expect(consumption["total_power_w"] as? Double == 5000)
        #expect(consumption["total_is"] as? String == "consumption")
        #expect(consumption["grid_power_w"] as? Double == 4700)
        #expect(consumption["battery_power_w"] as? Double == 300)
        #expect(consumption["unmonitored_power_w"] is NSNull)
        #expect(consumption["stale"] as? Bool == false)
        // 38.2 up to 22:00, and 23 readings of five minutes at 5 kW since: 9.58333.
        #expect(abs(try #require(consumption["daily_kwh"] as? Double) - 47.783_333) < 1e-6)
        let circuits = try #require(consumption["circuits"] as? [[String: Any]])
        let shares = Dictionary(
            uniqueKeysWithValues: circuits.map { ($0["name"] as? String ?? "", $0["percentage"] as? Double ?? -1) })
        #expect(shares["Car"] == 80 && shares["Heat pump"] == 10 && shares["Phase 1"] == 0 && shares["Server"] == 0)
        #expect(circuits.first { $0["name"] as? String == "Server" }?["power_w"] is NSNull)
    }

    private func checkHouse(_ points: [InfluxPoint]) throws {
        func point(_ hour: Int, _ minute: Int = 0, second: Int64 = 0) throws -> InfluxPoint {
            let time = (Day.start + Int64(hour * 3600 + minute * 60) + second) * Self.second
            return try #require(points.first { $0.time == time }, "\(hour):\(minute)")
        }
        // A point every five minutes, and the one that closes the day.
        #expect(points.count == 288 + 1)
        for row in Day.rows {
            let end = try point(row.hours.upperBound)
            let use = row.grid + row.solar + row.battery
            #expect(end.number("total_power_w") == use, "\(row.hours)")
            #expect(end.number("grid_power_w") == row.grid, "\(row.hours)")
            #expect(end.number("solar_power_w") == row.solar, "\(row.hours)")
            #expect(end.number("battery_power_w") == row.battery, "\(row.hours)")
            #expect(end.number("coverage") == 1, "\(row.hours)")
            let remainder = row.server.map { use - row.ev - row.heatPump - row.garage - $0 }
            #expect(end.number("unmonitored_power_w") == remainder, "\(row.hours)")
        }
        // 9 + 0.2 + 4 + 4 at noon.
        #expect(abs(try #require(point(12).number("daily_kwh")) - 17.2) < 1e-9)
        let midnight = try point(24)
        #expect(midnight.number("daily_kwh") == 0)
        #expect(abs(try #require(point(24, second: -1).number("daily_kwh")) - Day.consumed) < 1e-9)
        #expect(abs(try #require(midnight.number("import_kwh_total")) - Day.imported) < 1e-9)
        #expect(abs(try #require(midnight.number("export_kwh_total")) - Day.exported) < 1e-9)
        #expect(abs(try #require(midnight.number("solar_kwh_total")) - Day.produced) < 1e-9)
        #expect(abs(try #require(midnight.number("consumption_kwh_total")) - Day.consumed) < 1e-9)
    }

    private func checkCircuits(_ points: [InfluxPoint]) throws {
        let circuits = Dictionary(grouping: points) { $0.tags["circuit_name"] ?? "" }
        #expect(Set(circuits.keys) == Set(Day.circuits.keys))
        for (name, kWh) in Day.circuits {
            let last = try #require(circuits[name]?.last)
            #expect(abs(try #require(last.number("energy_kwh_total")) - kWh) < 1e-9, "\(name)")
        }
        let server = try #require(circuits["Server"])
        #expect(server.last { $0.number("power_w") != nil }?.time == (Day.start + 12 * 3600) * Self.second)
        let evening = (Day.start + 22 * 3600) * Self.second
        #expect(circuits["Heat pump"]?.first { $0.time == evening }?.number("percentage") == 50)
        #expect(circuits["Compressor"]?.first { $0.time == evening }?.number("percentage") == 45)
        #expect(circuits["Phase 1"]?.allSatisfy { $0.number("percentage") == nil } == true)
    }

    private func checkAlerts(_ points: [InfluxPoint]) throws {
        // 3,000 W charge the car until three and 5,000 W from ten on: over 4,500 W with the reading of 22:05.
        let high = try #require(points.first { $0.tags["kind"] == "high_consumption" })
        #expect(high.time == (Day.start + 22 * 3600 + 300) * Self.second)
        #expect(high.number("peak_w") == 5000 && high.text("state") == "raised")
        // 200 W from three to four: 1753 kWh a year, at 16 h x 0.32 and 8 h x 0.20 = 0.28 a kWh.
        let phantom = try #require(points.first { $0.tags["kind"] == "phantom_load" })
        #expect(phantom.time == (Day.start + 3 * 3600) * Self.second)
        #expect(phantom.number("peak_w") == 200)
        #expect(
            phantom.text("detail")
                == "1753.0 kWh, 490.84 EUR a year; behind it: Server 150.0 W, Garage 20.0 W")
    }

    private func checkStore(_ store: StoredSlots) throws {
        let sums = try #require(
            try store.query(
                """
                SELECT sum(imported_mj) AS imported, sum(exported_mj) AS exported, sum(produced_mj) AS produced,
                    sum(consumed_mj) AS consumed, sum(charged_mj) AS charged, sum(discharged_mj) AS discharged,
                    count(*) AS count, sum(covered_s) AS covered FROM bucket
                """
            ).first)
        func kWh(_ name: String) -> Double { ((sums[name] as? NSNumber)?.doubleValue ?? -1) / 3.6e9 }
        #expect(kWh("imported") == Day.imported)
        #expect(kWh("exported") == Day.exported)
        #expect(kWh("produced") == Day.produced)
        #expect(kWh("consumed") == Day.consumed)
        #expect(kWh("charged") == Day.charged)
        #expect(kWh("discharged") == Day.discharged)
        #expect(sums["count"] as? Int == 96)
        #expect(sums["covered"] as? Double == 86_400)
        let night = try #require(try store.query("SELECT * FROM night").first)
        #expect(night["date"] as? String == "2026-06-14" && night["power_w"] as? Double == 200)
    }

    private func checkEnergy(_ host: HostProcess) throws {
        func periods(_ query: String) throws -> [[String: Any]] {
            let answer = try HTTP.get(host.port, "/api/v1/energy?\(query)").object()
            #expect(answer["currency"] as? String == "EUR" && answer["time_zone"] as? String == "Europe/Berlin")
            return try #require(answer["periods"] as? [[String: Any]])
        }
        let days = try periods("from=2026-06-14&to=2026-06-15")
        let day = try #require(days.first)
        #expect(days.count == 1)
        #expect(day["start"] as? String == "2026-06-13T22:00:00.000Z")
        func number(_ name: String) throws -> Double { try #require(day[name] as? Double, "\(name)") }
        #expect(try number("import_kwh") == Day.imported)
        #expect(try number("export_kwh") == Day.exported)
        #expect(try number("production_kwh") == Day.produced)
        #expect(try number("consumption_kwh") == Day.consumed)
        #expect(try number("charge_kwh") == Day.charged)
        #expect(try number("discharge_kwh") == Day.discharged)
        #expect(try number("coverage") == 1)
        #expect(abs(try number("import_cost") - Day.importCost) < 1e-9)
        #expect(abs(try number("export_earnings") - Day.earnings) < 1e-9)
        #expect(abs(try number("cost") - Day.cost) < 1e-9)
        #expect(try number("unpriced_kwh") == 0)
        // Mean use 48.2 kWh / 24 h.
        #expect(abs(try number("power_w") - 48_200 / 24) < 0.001)
        #expect(try number("minimum_power_w") == 200 && number("maximum_power_w") == 5000)

        let hours = try periods("from=2026-06-14&to=2026-06-15&resolution=1h")
        #expect(hours.count == 24)
        #expect(hours[3]["consumption_kwh"] as? Double == 0.2)
        #expect(abs((hours[6]["import_cost"] as? Double ?? 0) - 0.32) < 1e-9)
        #expect(try HTTP.get(host.port, "/api/v1/energy?resolution=2h").status == 400)
    }

    private func checkHistory(_ host: HostProcess) throws {
        func history(_ query: String) throws -> (ids: [String], periods: [[String: Any]]) {
            let answer = try HTTP.get(host.port, "/api/v1/history?from=2026-06-14&to=2026-06-15&\(query)").object()
            let series = try #require(answer["series"] as? [[String: Any]])
            return (series.map { $0["name"] as? String ?? "" }, try #require(answer["periods"] as? [[String: Any]]))
        }
        let (names, days) = try history("resolution=1d&circuit=total&circuit=*&circuit=unmonitored")
        #expect(names.count == 2 + Day.circuits.count && days.count == 1)
        let energies = try #require(days.first?["energy_kwh"] as? [Double])
        let byName = Dictionary(uniqueKeysWithValues: zip(names, energies))
        #expect(byName["Total"] == Day.consumed)
        for (name, kWh) in Day.circuits { #expect(abs((byName[name] ?? -1) - kWh) < 1e-9, "\(name)") }
        #expect(abs((byName["Unmonitored"] ?? -1) - Day.unmonitored) < 1e-9)
        let coverages = try #require(days.first?["coverage"] as? [Double])
        #expect(coverages.first == 1 && coverages.last == 0.5)
        let first = try history("resolution=1d&circuit=l1").periods.first
        #expect(first?["returned_kwh"] as? [Double] == [Day.returned])

        let hours = try history("resolution=1h").periods
        #expect(hours.count == 24)
        let powers = hours.compactMap { ($0["power_w"] as? [Double])?.first }
        #expect(powers == Day.rows.flatMap { row in row.hours.map { _ in row.grid + row.solar + row.battery } })
        let raw = try history("resolution=raw&circuit=unmonitored").periods
        #expect(raw.count == 288)
        #expect((raw[150]["power_w"] as? [Any])?.first is NSNull)
        #expect(raw[100]["power_w"] as? [Double] == [370])
    }

    private func checkAlertsAndNights(_ host: HostProcess) throws {
        let alerts = try #require(try HTTP.get(host.port, "/api/v1/alerts").object()["alerts"] as? [[String: Any]])
        #expect(alerts.map { $0["kind"] as? String } == ["high_consumption", "phantom_load"])
        #expect(alerts.first?["id"] as? String == "diary/high_consumption/\(Day.start + 22 * 3600 + 300)")
        #expect(alerts.first?["started_at"] as? String == "2026-06-14T20:05:00.000Z")
        #expect(alerts.first?["peak_w"] as? Double == 5000 && alerts.first?["ended_at"] is NSNull)
        let ended = try HTTP.get(host.port, "/api/v1/alerts?state=ended").object()["alerts"] as? [Any]
        #expect(ended?.isEmpty == true)

        let phantom = try HTTP.get(host.port, "/api/v1/phantom").object()
        #expect(phantom["threshold_w"] as? Double == 150 && phantom["currency"] as? String == "EUR")
        let nights = try #require(phantom["nights"] as? [[String: Any]])
        let night = try #require(nights.first { $0["date"] as? String == "2026-06-14" })
        #expect(night["power_w"] as? Double == 200 && night["is_high"] as? Bool == true)
        #expect(night["kwh_per_year"] as? Double == 1753 && night["cost_per_year"] as? Double == 490.84)
        let circuits = try #require(night["circuits"] as? [[String: Any]])
        #expect(circuits.map { $0["name"] as? String } == ["Server", "Garage"])
        #expect(circuits.first?["power_w"] as? Double == 150)
    }
}
