import AdapterABI
import Readings

/// What a reading's own numbers are held to.
enum ReadingChecks {
    static let table: [ConformanceCheck] = [
        ConformanceCheck(
            "reading-accepted", .reading, "Each read emits a reading before it returns, and the host takes it"
        ) {
            (bench) throws(Finding) in
            let session = try bench.readings()
            if let refusal = session.refusals.first(where: { $0.rule == .shape }) {
                throw .failed(
                    refusal.reason, expected: "a reading that the host takes", advice: "begin with meter_reading_make()"
                )
            }
            if session.silentReads > 0 {
                throw .failed(
                    "read answered METER_OK and emitted nothing", expected: "one emit a read",
                    advice: "emit before you return METER_OK, or return METER_NO_DATA")
            }
            if let reading = session.readings.first(where: { $0.numbers.isEmpty && $0.circuits.isEmpty }) {
                throw .failed(
                    "a reading (of \(session.readings.count), known \(reading.known)) in which nothing is measured",
                    expected: "numbers with their bits in present", advice: "use the setters: they set number and bit")
            }
        },
        ConformanceCheck("reading-finite", .reading, "A number whose bit is set is neither NaN nor infinite") {
            (bench) throws(Finding) in
            try each(bench, "leave the bit out where nothing was measured") { number in
                number.value.isFinite ? nil : "a finite number"
            }
        },
        ConformanceCheck("reading-plausible", .reading, "Numbers are watts, kilowatt hours, volts and hertz of a house")
        {
            (bench) throws(Finding) in try each(bench, "convert to the units of meter_adapter.h", range)
        },
        ConformanceCheck("reading-zero", .reading, "What is not there is left out, not given as 0") {
            (bench) throws(Finding) in
            try each(bench, "leave the bit out where the device gives nothing") { number in
                (number.kind == .voltage || number.kind == .frequency) && number.value == 0
                    ? "no mains has 0: not measured is no number" : nil
            }
            let readings = try bench.accepted()
            let numbers = readings.flatMap(\.everything)
            if readings.count > 1, numbers.count > 2 * readings.count, numbers.allSatisfy({ $0.value == 0 }) {
                throw .warning(
                    "all numbers of all readings are 0", expected: "a house that uses something",
                    advice: "leave the bit out where the device gives nothing")
            }
        },
        ConformanceCheck(
            "reading-time", .reading, "Timestamps are of now, and each is later than the one before", body: time),
        ConformanceCheck("reading-period", .reading, "Period energies come with a period, and are not negative") {
            (bench) throws(Finding) in
            for reading in try bench.accepted() {
                guard let number = reading.everything.first(where: { $0.kind == .periodEnergy }) else { continue }
                if reading.period == 0 || number.value < 0 {
                    throw .failed(
                        "\(number.name) = \(number.value) with period_ns \(reading.period)",
                        expected: "period_ns > 0 and energies >= 0", advice: "set period_ns, or give a counter instead")
                }
            }
        },
        ConformanceCheck(
            "reading-known", .reading, "known is the same in each reading, and covers the powers that are present"
        ) {
            (bench) throws(Finding) in
            let readings = try bench.accepted()
            for reading in readings {
                if reading.present & 0xF & ~reading.known != 0 {
                    throw .failed(
                        "known is \(reading.known), the powers present are \(reading.present & 0xF)",
                        expected: "every power that is present in known", advice: "set known from the configuration")
                }
            }
            if let (first, other) = changeOfKnown(readings.map(\.known)) {
                throw .failed(
                    "known was \(first) and became \(other)", expected: "constant from start to stop",
                    advice: "known is what is configured; what did not answer is left out of present")
            }
        },
        ConformanceCheck(
            "reading-counters", .reading, "Lifetime counters are not negative and do not fall", body: counters),
        ConformanceCheck("reading-signs", .reading, "Consumption is positive, and solar production, too", body: signs),
        ConformanceCheck(
            "reading-values", .reading, "Kinds, qualities, phases and bits are ones of this header", body: values),
    ]

    /// What reading after reading knows: before it has found its meter an adapter may know nothing, afterwards always the
    /// same. Nil where that is so.
    static func changeOfKnown(_ known: [UInt64]) -> (first: UInt64, other: UInt64)? {
        let found = known.drop { $0 == 0 }
        guard let first = found.first else { return nil }
        return found.first { $0 != first }.map { (first, $0) }
    }

    /// Every number of every reading that came.
    private static func each(
        _ bench: CheckBench, _ advice: String, _ objection: (SeenReading.Number) -> String?
    ) throws(Finding) {
        for number in try bench.accepted().flatMap(\.everything) {
            guard let expected = objection(number) else { continue }
            throw .failed("\(number.name) = \(number.value)", expected: expected, advice: advice)
        }
    }

    /// What its kind allows; nil where it fits. What is not finite is another check's.
    private static func range(_ number: SeenReading.Number) -> String? {
        guard number.value.isFinite else { return nil }
        let (allowed, unit): (ClosedRange<Double>, String) =
            switch number.kind {
            case .power: (-SeenReading.mostPlausibleW...SeenReading.mostPlausibleW, "W")
            case .periodEnergy: (-.infinity...24_000, "kWh")
            // 100 kW for a hundred years.
            case .counter: (-.infinity...100_000_000, "kWh")
            case .dayEnergy: (0...24_000, "kWh")
            case .voltage: (0...1_000, "V")
            case .frequency: (0...100, "Hz")
            case .current: (-5_000...5_000, "A")
            case .factor: (-1...1, "")
            }
        return allowed.contains(number.value) ? nil : "\(allowed.lowerBound) to \(allowed.upperBound) \(unit)"
    }

    private static func time(_ bench: CheckBench) throws(Finding) {
        let session = try bench.readings()
        let advice = "give the meter's own time in ns since 1970 (UTC), or 0 for the moment of emit"
        if let refusal = session.refusals.first(where: { $0.rule == .time }) {
            throw .failed(refusal.reason, expected: "a time of now, and a period of at most a day", advice: advice)
        }
        var last: Int64 = .min
        for reading in try bench.accepted() where reading.timestamp != 0 {
            let ahead = reading.timestamp - reading.at.nanoseconds
            // A meter's clock may be off a little.
            guard ahead < 5 * Duration.minute, ahead > -Duration.day else {
                throw .failed(
                    "a timestamp \(abs(ahead) / Duration.second) s \(ahead > 0 ? "ahead of" : "behind") now",
                    expected: "the time that the numbers belong to", advice: advice)
            }
            guard reading.timestamp > last || reading.timestamp == last && reading.period > 0 else {
                throw .failed(
                    "a timestamp of \(reading.timestamp) ns after one of \(last) ns", expected: "rising timestamps",
                    advice: advice)
            }
            last = reading.timestamp
        }
    }

    private static func counters(_ bench: CheckBench) throws(Finding) {
        var last: [String: Double] = [:]
        for number in try bench.accepted().flatMap(\.everything) where number.kind == .counter {
            if number.value < last[number.name] ?? 0 {
                throw .failed(
                    "\(number.name) = \(number.value) after \(last[number.name] ?? 0)",
                    expected: "a counter that rises",
                    advice: "give each direction a counter of its own, never a net of both")
            }
            last[number.name] = number.value
        }
    }

    private static func signs(_ bench: CheckBench) throws(Finding) {
        // An inverter's own use at night.
        let nightW = -250.0
        for reading in try bench.accepted() {
            if let value = reading.value("consumption_power_w"), value < 0 {
                throw .failed(
                    "consumption_power_w = \(value)", expected: "what the house uses: never negative",
                    advice: "export belongs to grid_power_w, with a negative sign")
            }
            let solar =
                [reading.value("solar_power_w")] + reading.circuits.filter { $0.kind == METER_KIND_SOLAR }.map(\.powerW)
            if let value = solar.compactMap({ $0 }).first(where: { $0 < nightW }) {
                throw .failed(
                    "a solar power of \(value) W", expected: "production is positive",
                    advice: "turn the sign of solar power")
            }
            if let circuit = reading.circuits.first(where: { $0.isConsuming && ($0.powerW ?? 0) < 0 }) {
                throw .warning(
                    "circuit '\(circuit.id)' consumes \(circuit.powerW ?? 0) W",
                    expected: "positive where it consumes",
                    advice: "turn the sign, or give it the kind solar or battery")
            }
        }
    }

    private static func values(_ bench: CheckBench) throws(Finding) {
        for reading in try bench.accepted() {
            var faults: [String] = []
            if reading.present & ~SeenReading.knownBits != 0 { faults.append("present has bits that mean nothing") }
            if reading.known & ~0xF != 0 { faults.append("known has more than the four powers") }
            if reading.quality > METER_QUALITY_BACKFILLED { faults.append("quality is \(reading.quality)") }
            for circuit in reading.circuits {
                if circuit.kind > METER_KIND_OTHER { faults.append("kind of '\(circuit.id)' is \(circuit.kind)") }
                if circuit.phase > 3 { faults.append("phase of '\(circuit.id)' is \(circuit.phase)") }
                if circuit.quality > METER_QUALITY_BACKFILLED { faults.append("quality of '\(circuit.id)'") }
                if circuit.reserved != 0 || circuit.present & ~SeenReading.Circuit.knownBits != 0 {
                    faults.append("reserved or present of '\(circuit.id)'")
                }
            }
            guard let fault = faults.first else { continue }
            throw .failed(
                fault, expected: "values of this version of the header, reserved fields 0",
                advice: "begin with meter_reading_make() and meter_circuit_make()")
        }
    }
}
