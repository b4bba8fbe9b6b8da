import API
import Analysis
import Observability
import Readings

/// A reading as `smart-meter read` prints it.
enum ReadingText {
    static func json(_ emission: Emission, _ instance: InstanceIdentity) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.field("instance", instance.name)
        json.field("meter_type", instance.meterType)
        json.field("timestamp", emission.timestamp)
        json.field("quality", emission.quality.word)
        json.field("total_is", HousePowers.totalIs(known: emission.known).word)
        json.field("total_power_w", HousePowers.total(emission.powers, known: emission.known))
        json.field("grid_power_w", emission.powers.gridW)
        json.field("solar_power_w", emission.powers.solarW)
        json.field("battery_power_w", emission.powers.batteryW)
        json.field("consumption_power_w", HousePowers.consumption(emission.powers, known: emission.known))
        json.field("day_energy_kwh", emission.dayEnergy.map(Energy.kWh))
        json.key("circuits")
        json.beginArray()
        for sample in emission.circuits {
            let identity = emission.catalog.circuits[Int(sample.circuit)]
            json.beginObject()
            json.field("id", identity.id)
            json.field("name", identity.name)
            json.field("kind", sample.kind.word)
            json.field("power_w", sample.power)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    static func text(_ emission: Emission, _ instance: InstanceIdentity) -> String {
        let powers = emission.powers
        var rows = [
            ("instance", instance.name), ("time", Timestamp.text(emission.timestamp)),
            (
                "total (\(HousePowers.totalIs(known: emission.known).word))",
                watts(HousePowers.total(powers, known: emission.known))
            ),
        ]
        if emission.known.contains(.grid) { rows.append(("grid (+ import)", watts(powers.gridW))) }
        if emission.known.contains(.solar) { rows.append(("solar", watts(powers.solarW))) }
        if emission.known.contains(.battery) { rows.append(("battery (+ discharge)", watts(powers.batteryW))) }
        if let day = emission.dayEnergy { rows.append(("today", "\(rounded(Energy.kWh(day))) kWh")) }
        for sample in emission.circuits {
            rows.append(("  " + emission.catalog.circuits[Int(sample.circuit)].name, watts(sample.power)))
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }.joined(separator: "\n")
    }

    private static func watts(_ value: Double?) -> String { value.map { "\(rounded($0)) W" } ?? "not measured" }
    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
