import AdapterKit

/// What a household draws at a moment: a pure function of its seed and the time.
struct Household: Sendable {
    let seed: UInt64
    /// Watts at noon of a clear day; 0 = no roof.
    let solarPeakW: Double
    let hasCar: Bool
    let utcOffsetHours: Double

    /// - Parameter seconds: since the epoch.
    func reading(at seconds: Double) -> Reading {
        let circuits = circuits(at: seconds)
        let rest = 35 + 10 * wave(seconds, period: 900, salt: 9)
        let consumption = circuits.reduce(rest) { $0 + ($1.powerW ?? 0) }
        var reading = Reading(known: solarPeakW > 0 ? [.grid, .solar] : [.consumption])
        if solarPeakW > 0 {
            let solar = solarPower(seconds)
            reading.solarPowerW = rounded(solar)
            reading.gridPowerW = rounded(consumption - solar)
        } else {
            reading.consumptionPowerW = rounded(consumption)
        }
        reading.circuits = circuits
        return reading
    }

    /// The mean of samples ten seconds apart.
    func meanReading(from start: Double, to end: Double) -> Reading {
        let count = Int(max(1, min(360, (end - start) / 10)))
        let width = (end - start) / Double(count)
        let samples = (0..<count).map { reading(at: start + (Double($0) + 0.5) * width) }
        var mean = samples[0]
        mean.gridPowerW = self.mean(samples.map(\.gridPowerW))
        mean.solarPowerW = self.mean(samples.map(\.solarPowerW))
        mean.consumptionPowerW = self.mean(samples.map(\.consumptionPowerW))
        for index in mean.circuits.indices {
            mean.circuits[index].powerW = self.mean(samples.map { $0.circuits[index].powerW })
        }
        return mean
    }

    /// nil where one of them is.
    private func mean(_ powers: [Double?]) -> Double? {
        let measured = powers.compactMap { $0 }
        guard measured.count == powers.count else { return nil }
        return rounded(measured.reduce(0, +) / Double(measured.count))
    }

    private func circuits(at seconds: Double) -> [Circuit] {
        let hour = localHour(seconds)
        // A household wakes at 6:30, is out in the forenoon, and is at home in the evening.
        let morning = bump(hour, around: 7.2, width: 1.0)
        let noon = bump(hour, around: 12.5, width: 0.9)
        let evening = bump(hour, around: 19.5, width: 2.2)
        let work = hour > 8.5 && hour < 17.5 ? 1.0 : 0.0

        var circuits = [
            circuit(
                "hvac", "HVAC", .heating, 15 + 1450 * duty(seconds, period: 1500, share: 0.12 + 0.25 * evening, salt: 1)
            ),
            circuit(
                "kitchen", "Kitchen", .load,
                fridge(seconds) + 1900
                    * duty(seconds, period: 600, share: 0.45 * morning + 0.5 * noon + 0.4 * evening, salt: 2)),
            circuit(
                "living_room", "Living Room", .load,
                22 + 260 * evening + 40 * morning + 8 * wave(seconds, period: 240, salt: 3)),
            circuit("office", "Office", .load, 12 + work * (110 + 30 * wave(seconds, period: 420, salt: 4))),
            circuit("bedrooms", "Bedrooms", .load, 9 + 90 * evening + 60 * morning),
            circuit(
                "other", "Other", .other,
                30 + 420 * duty(seconds, period: 5400, share: 0.15 * (1 - bump(hour, around: 2.5, width: 2.5)), salt: 5)
            ),
        ]
        if hasCar {
            let isCharging = hour > 20 || hour < 0.5
            circuits.append(
                circuit("car", "Car charger", .ev, isCharging ? 7200 + 40 * wave(seconds, period: 60, salt: 6) : 3))
        }
        return circuits
    }

    private func circuit(_ id: String, _ name: String, _ kind: Circuit.Kind, _ powerW: Double) -> Circuit {
        var circuit = Circuit(id: id, name: name, kind: kind)
        circuit.powerW = rounded(powerW)
        return circuit
    }

    /// A compressor: 90 W for a third of its cycle.
    private func fridge(_ seconds: Double) -> Double { 6 + 90 * duty(seconds, period: 2700, share: 0.35, salt: 7) }

    private func solarPower(_ seconds: Double) -> Double {
        let hour = localHour(seconds)
        guard hour > 6, hour < 20 else { return 0 }
        let height = 1 - ((hour - 13) / 7) * ((hour - 13) / 7)
        let clouds = 0.7 + 0.3 * wave(seconds, period: 1800, salt: 8)
        return solarPeakW * height * clouds
    }

    private func localHour(_ seconds: Double) -> Double {
        let local = seconds + utcOffsetHours * 3600
        return (local - (local / 86400).rounded(.down) * 86400) / 3600
    }

    /// 0 to 1, highest at `hour`.
    private func bump(_ hour: Double, around center: Double, width: Double) -> Double {
        let distance = min(abs(hour - center), 24 - abs(hour - center)) / width
        return distance >= 2 ? 0 : (1 - distance * distance / 4) * (1 - distance * distance / 4)
    }

    /// 1 during `share` of each period, 0 otherwise; when it begins within the period differs from one to the next.
    private func duty(_ seconds: Double, period: Double, share: Double, salt: UInt64) -> Double {
        let index = (seconds / period).rounded(.down)
        let start = random(index, salt) * (1 - share)
        let phase = seconds / period - index
        return phase >= start && phase < start + share ? 1 : 0
    }

    /// Smooth noise, -1 to 1.
    private func wave(_ seconds: Double, period: Double, salt: UInt64) -> Double {
        let index = (seconds / period).rounded(.down)
        let phase = seconds / period - index
        let blend = phase * phase * (3 - 2 * phase)
        return 2 * (random(index, salt) * (1 - blend) + random(index + 1, salt) * blend) - 1
    }

    /// 0 to 1, a hash (SplitMix64) of the seed, the salt and the index.
    private func random(_ index: Double, _ salt: UInt64) -> Double {
        var mixed = seed &* 0x9E37_79B9_7F4A_7C15 &+ salt &* 0xD1B5_4A32_D192_ED03
        mixed = mixed &+ (UInt64(exactly: index.magnitude) ?? 0)
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
    }

    private func rounded(_ powerW: Double) -> Double { (powerW * 10).rounded() / 10 }
}
