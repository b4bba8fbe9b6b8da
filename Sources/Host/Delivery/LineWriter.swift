import Analysis
import Observability
import Readings
package import Storage

/// Writes rows as InfluxDB line protocol. Appends to one buffer; what is constant in a line is escaped once and kept.
///
/// Escaping as the specification has it; what it cannot express is left out: an empty tag value, NaN, infinity, a line
/// without a field. Numbers are always floats: a field's type is fixed by its first write.
package struct LineWriter {
    package private(set) var bytes: [UInt8] = []
    /// Where each line begins in `bytes`, and which row it was made of.
    package private(set) var lines: [Line] = []

    package struct Line: Sendable {
        package let start: Int
        package let source: Source
    }

    /// A row of the batch, by its index.
    package enum Source: Hashable, Sendable {
        case slot(Int)
        case alert(Int)
    }

    private let constantTags: [(key: String, value: String)]
    private var prefixes: [PrefixKey: Prefix] = [:]
    /// Series have numbers, by what their lines begin with: different names may be escaped alike.
    private var numbers: [[UInt8]: Int] = [:]
    /// By the number of a series: the slot, in the order of writing, that has written to it last.
    private var lastSlots: [Int] = []
    private var slotCount = 0

    private struct Prefix {
        var bytes: [UInt8]
        var series: Int
    }

    private struct PrefixKey: Hashable {
        var measurement: String
        var meter: InstanceIdentity
        var extra: String
    }

    /// - Parameter tags: constant tags of every point.
    package init(tags: [(key: String, value: String)]) {
        constantTags = tags
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        // Names that come and go must not pile up.
        guard prefixes.count > 10_000 else { return }
        prefixes = [:]
        numbers = [:]
        lastSlots = []
    }

    /// The bytes of some lines.
    package func bytes(of range: Range<Int>) -> ArraySlice<UInt8> {
        guard !range.isEmpty else { return [] }
        let end = range.upperBound < lines.count ? lines[range.upperBound].start : bytes.count
        return bytes[lines[range.lowerBound].start..<end]
    }

    // MARK: Slots

    package mutating func append(_ outbound: OutboundSlot, index: Int) {
        let slot = outbound.slot
        let source = Source.slot(index)
        slotCount += 1
        if slot.isHouse {
            appendHouse(slot, outbound.meter, source)
        } else {
            appendTotal(slot, outbound.meter, source)
        }
        for (position, circuit) in slot.circuits.enumerated() {
            append(
                circuit, name: outbound.circuitNames[position], id: outbound.circuitIDs[position], slot,
                outbound.meter, source)
        }
    }

    private mutating func appendHouse(_ slot: Slot, _ meter: InstanceIdentity, _ source: Source) {
        let prefix = prefix("smart_meter", meter).bytes
        line(prefix, at: slot.end, source) { line in
            line.field("total_power_w", slot.totalPowerW)
            line.field("daily_kwh", slot.dayEnergy.map(Shares.kWh))
            line.field("total_is", slot.totalIs.word)
            line.field("grid_power_w", slot.powers.gridW)
            line.field("solar_power_w", slot.powers.solarW)
            line.field("battery_power_w", slot.powers.batteryW)
            line.field("consumption_power_w", slot.powers.consumptionW)
            line.field("import_kwh_total", slot.lifetime.imported.map(Energy.kWh))
            line.field("export_kwh_total", slot.lifetime.exported.map(Energy.kWh))
            line.field("solar_kwh_total", slot.lifetime.produced.map(Energy.kWh))
            line.field("consumption_kwh_total", slot.lifetime.consumed.map(Energy.kWh))
            line.field("unmonitored_power_w", slot.unmonitoredPowerW)
            if !slot.isFirstLight { line.field("coverage", slot.coverage) }
            line.field("quality", slot.quality.word)
        }
        guard let closing = slot.closingDayEnergy else { return }
        // The old day's last figure, one second before the new day's zero.
        line(prefix, at: slot.end - Duration.second, source) { line in
            line.field("daily_kwh", Shares.kWh(closing))
        }
    }

    /// The total of an instance that is not the house: a circuit, so that totals are never added up. The series is its
    /// own whether or not it was measured.
    private mutating func appendTotal(_ slot: Slot, _ meter: InstanceIdentity, _ source: Source) {
        let prefix = prefix("smart_meter_circuit", meter, circuit: CircuitIdentity.totalName)
        lastSlots[prefix.series] = slotCount
        guard slot.totalPowerW != nil else { return }
        line(prefix.bytes, at: slot.end, source) { line in
            line.field("power_w", slot.totalPowerW)
            line.field("kind", CircuitKind.total.word)
            line.field("quality", slot.quality.word)
        }
    }

    private mutating func append(
        _ circuit: CircuitSlot, name: String, id: String, _ slot: Slot, _ meter: InstanceIdentity, _ source: Source
    ) {
        // Without a measured number the point would say nothing.
        guard circuit.powerW != nil || circuit.energy != nil else { return }
        line(ownPrefix(meter, name: name, id: id), at: slot.end, source) { line in
            line.field("power_w", circuit.powerW)
            line.field("percentage", circuit.percentage)
            line.field("energy_kwh_total", circuit.lifetime.map(Energy.kWh))
            line.field("kind", circuit.kind.word)
            line.field("circuit_id", id)
            line.field("quality", circuit.quality.word)
        }
    }

    /// Two lines of one series and time would overwrite each other: of circuits whose names are written alike, a later
    /// one gets its id into its name.
    private mutating func ownPrefix(_ meter: InstanceIdentity, name: String, id: String) -> [UInt8] {
        var name = name
        var prefix = prefix("smart_meter_circuit", meter, circuit: name)
        while lastSlots[prefix.series] == slotCount {
            name += " (\(id))"
            prefix = self.prefix("smart_meter_circuit", meter, circuit: name)
        }
        lastSlots[prefix.series] = slotCount
        return prefix.bytes
    }

    // MARK: Alerts

    package mutating func append(_ outbound: OutboundAlert, index: Int) {
        let alert = outbound.alert
        let prefix = prefix("smart_meter_alert", outbound.meter, kind: alert.kind).bytes
        line(prefix, at: alert.start, .alert(index)) { line in
            line.field("id", alert.id(of: outbound.meter))
            line.field("state", alert.ended == nil ? "raised" : "ended")
            line.field("peak_w", alert.shownPeakW)
            line.field("ended_at", alert.ended.map { Double($0.nanoseconds) / 1e9 })
            line.field("detail", alert.detail)
        }
    }

    // MARK: A line

    /// Appends the fields of one line.
    private struct Fields {
        var bytes: [UInt8] = []
        private(set) var count = 0

        mutating func field(_ key: StaticString, _ value: Double?) {
            guard let value, value.isFinite else { return }
            begin(key)
            DecimalText.append(value, to: &bytes)
        }

        mutating func field(_ key: StaticString, _ value: String) {
            begin(key)
            bytes.append(UInt8(ascii: "\""))
            for byte in value.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                // A line end within quotes is allowed, but not every server knows it.
                bytes.append(byte < 32 ? UInt8(ascii: " ") : byte)
            }
            bytes.append(UInt8(ascii: "\""))
        }

        private mutating func begin(_ key: StaticString) {
            bytes.append(UInt8(ascii: count == 0 ? " " : ","))
            count += 1
            unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
            bytes.append(UInt8(ascii: "="))
        }
    }

    private mutating func line(
        _ prefix: [UInt8], at instant: Instant, _ source: Source, _ fill: (inout Fields) -> Void
    ) {
        let start = bytes.count
        bytes.append(contentsOf: prefix)
        // The buffer is swapped into the fields and back: with two owners the next append would copy all of it.
        var fields = Fields()
        swap(&bytes, &fields.bytes)
        fill(&fields)
        swap(&bytes, &fields.bytes)
        guard fields.count > 0 else {
            bytes.removeSubrange(start...)
            return
        }
        bytes.append(UInt8(ascii: " "))
        DecimalText.append(instant.nanoseconds, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        lines.append(Line(start: start, source: source))
    }

    /// Measurement and tags, escaped; tags in the order of their keys.
    private mutating func prefix(
        _ measurement: String, _ meter: InstanceIdentity, circuit: String = "", kind: String = ""
    ) -> Prefix {
        let key = PrefixKey(measurement: measurement, meter: meter, extra: circuit.isEmpty ? kind : circuit)
        if let prefix = prefixes[key] { return prefix }
        var tags = constantTags
        tags.append(("meter_type", meter.meterType))
        tags.append(("meter", meter.label))
        tags.append(("circuit_name", circuit))
        tags.append(("kind", kind))
        var bytes = Array(measurement.utf8)
        for tag in tags.sorted(by: { $0.key < $1.key }) {
            let value = LineText.tag(tag.value)
            guard !value.isEmpty else { continue }
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: LineText.tag(tag.key))
            bytes.append(UInt8(ascii: "="))
            bytes.append(contentsOf: value)
        }
        let series = numbers[bytes] ?? lastSlots.count
        if series == lastSlots.count {
            numbers[bytes] = series
            lastSlots.append(0)
        }
        let prefix = Prefix(bytes: bytes, series: series)
        prefixes[key] = prefix
        return prefix
    }
}

/// Text as line protocol wants it in keys and tag values.
enum LineText {
    /// Commas, equals signs and spaces escaped; what ends a line becomes a space. A backslash before one of these, or
    /// at the end, is left out: servers do not agree on whether it escapes itself or what follows.
    static func tag(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "="), UInt8(ascii: " "):
                dropBackslashes(&bytes)
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0...31, 127:
                dropBackslashes(&bytes)
                bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: " ")])
            default: bytes.append(byte)
            }
        }
        dropBackslashes(&bytes)
        return bytes
    }

    private static func dropBackslashes(_ bytes: inout [UInt8]) {
        while bytes.last == UInt8(ascii: "\\") { bytes.removeLast() }
    }
}
