/// Units as Home Assistant writes them, turned into ours.
enum Units {
    /// What one of the unit is in watts; nil = not a unit of power.
    static func watts(per unit: String) -> Double? {
        switch unit {
        case "mW": 0.001
        case "W": 1
        case "kW": 1000
        case "MW": 1_000_000
        default: nil
        }
    }

    /// What one of the unit is in kWh; nil = not a unit of energy.
    static func kWh(per unit: String) -> Double? {
        switch unit {
        case "Wh": 0.001
        case "kWh": 1
        case "MWh": 1000
        default: nil
        }
    }

    /// A state as a number: nil for "unavailable", "unknown", the empty one, and any other that is no finite decimal.
    static func number(_ state: String) -> Double? {
        let isDecimal = state.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte)
        }
        guard isDecimal, let value = Double(state), value.isFinite else { return nil }
        return value
    }
}
