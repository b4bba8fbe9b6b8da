import Platform
import Readings

/// A metric, declared once: its name, what it means, and where its samples come from.
struct Metric: Sendable {
    enum Kind: String, Sendable {
        case gauge, counter, histogram
    }

    typealias Labels = [(name: String, value: String)]
    typealias Samples = @Sendable (MetricsReport) -> [(labels: Labels, value: Double)]

    let name: String
    let kind: Kind
    let help: String
    private let write: @Sendable (Metric, MetricsReport, inout MetricsWriter) -> Void

    private init(
        _ name: String, _ kind: Kind, _ help: String,
        _ write: @escaping @Sendable (Metric, MetricsReport, inout MetricsWriter) -> Void
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.write = write
    }

    /// In the text format, every metric with its samples.
    static func text(_ report: MetricsReport) -> [UInt8] {
        var writer = MetricsWriter()
        for metric in all {
            writer.declare(metric)
            metric.write(metric, report, &writer)
        }
        return writer.bytes
    }

    private static func gauge(_ name: String, _ help: String, _ samples: @escaping Samples) -> Metric {
        plain(name, .gauge, help, samples)
    }

    private static func counter(_ name: String, _ help: String, _ samples: @escaping Samples) -> Metric {
        plain(name, .counter, help, samples)
    }

    private static func plain(
        _ name: String, _ kind: Kind, _ help: String, _ samples: @escaping Samples
    ) -> Metric {
        Metric(name, kind, help) { metric, report, writer in
            for sample in samples(report) { writer.sample(metric, sample.labels, sample.value) }
        }
    }

    /// One sample, or none.
    private static func one(_ value: Double?) -> [(labels: Labels, value: Double)] { value.map { [([], $0)] } ?? [] }

    /// A sample of each instance that has a value.
    private static func perMeter(
        _ value: @escaping @Sendable (MetricsReport.Meter) -> Double?
    ) -> Samples {
        { report in report.meters.compactMap { meter in value(meter).map { (label(meter), $0) } } }
    }

    private static func label(_ meter: MetricsReport.Meter) -> Labels { [("instance", meter.adapter.instance)] }
}

// The table.
extension Metric {
    static let all: [Metric] = meters + adapters + delivery + service + process

    private static let meters = [
        gauge(
            "smart_meter_power_watts",
            "Newest powers, by quantity: total, grid, solar, battery, consumption, unmonitored."
        ) {
            report in
            report.meters.flatMap { meter in
                let powers = meter.reading.map { reading in
                    [
                        ("total", reading.totalPowerW), ("grid", reading.powers.gridW),
                        ("solar", reading.powers.solarW),
                        ("battery", reading.powers.batteryW), ("consumption", reading.powers.consumptionW),
                        ("unmonitored", reading.unmonitoredPowerW),
                    ]
                }
                return (powers ?? []).compactMap { quantity, watts in
                    watts.map { (label(meter) + [("quantity", quantity)], $0) }
                }
            }
        },
        gauge("smart_meter_circuit_power_watts", "Newest power of each circuit.") { report in
            report.meters.flatMap { meter in
                (meter.reading?.circuits ?? []).compactMap { circuit in
                    circuit.powerW.map { (label(meter) + [("circuit", circuit.id), ("name", circuit.name)], $0) }
                }
            }
        },
        counter(
            "smart_meter_energy_kwh_total",
            "Energy since the first reading, by flow; never falls, whatever the meter does."
        ) { report in
            report.meters.flatMap { meter in
                Flow.allCases.compactMap { flow in
                    meter.energyKWh[flow].map { (label(meter) + [("flow", flow.word)], $0) }
                }
            }
        },
        counter(
            "smart_meter_circuit_energy_kwh_total",
            "Energy of each circuit since its first reading, up to the last slot."
        ) {
            report in
            report.meters.flatMap { meter in
                meter.circuits.map { circuit in
                    (label(meter) + [("circuit", circuit.id), ("name", circuit.name)], circuit.energyKWh)
                }
            }
        },
        gauge("smart_meter_day_energy_kwh", "Consumption since local midnight.", perMeter { $0.reading?.dailyKWh }),
        gauge(
            "smart_meter_reading_age_seconds", "Age of the newest reading.", perMeter { $0.readingAgeSeconds }),
        counter("smart_meter_readings_total", "Readings that adapters handed over, by what became of them.") { report in
            report.meters.flatMap { meter in
                let counts = meter.adapter.readings
                return [
                    ("accepted", counts.accepted), ("busy", counts.busy), ("invalid", counts.invalid),
                    ("too_late", counts.tooLate),
                ].map { outcome, count in (label(meter) + [("outcome", outcome)], Double(count)) }
            }
        },
        counter(
            "smart_meter_bad_values_total", "Single numbers of readings that were none, or beyond anything.",
            perMeter { Double($0.adapter.readings.badValues) }),
    ]

    private static let adapters = [
        gauge(
            "smart_meter_adapter_up", "1 while the adapter is running, 0 while it is not.",
            perMeter { $0.adapter.state == "running" ? 1 : 0 }),
        counter(
            "smart_meter_reads_total", "Attempts to read; of an adapter that hands over by itself: its readings.",
            perMeter { Double($0.adapter.attempts) }),
        counter("smart_meter_read_failures_total", "Attempts that failed.", perMeter { Double($0.adapter.failures) }),
        Metric("smart_meter_read_duration_seconds", .histogram, "How long reads took, success or not.") {
            metric, report, writer in
            for meter in report.meters where !meter.durations.buckets.isEmpty {
                let durations = meter.durations
                let bounds = durations.buckets.map { (MetricsWriter.number($0.bound), $0.count) }
                for (bound, count) in bounds + [("+Inf", durations.count)] {
                    writer.sample(metric, suffix: "_bucket", label(meter) + [("le", bound)], Double(count))
                }
                writer.sample(metric, suffix: "_sum", label(meter), durations.sumSeconds)
                writer.sample(metric, suffix: "_count", label(meter), Double(durations.count))
            }
        },
        gauge(
            "smart_meter_requests_left", "Requests left of the day's ration, where there is one.",
            perMeter { $0.adapter.requestsLeft.map(Double.init) }),
    ]

    private static let delivery = [
        gauge("smart_meter_delivery_up", "1 while InfluxDB takes what is sent, 0 while it does not.") { report in
            one(report.delivery.state == "off" ? nil : report.delivery.todo == nil ? 1 : 0)
        },
        gauge("smart_meter_outbox_lines", "Lines that wait for delivery, about.") {
            one(Double($0.delivery.backlog.points))
        },
        gauge("smart_meter_outbox_bytes", "Their bytes, estimated from the lines that were written last.") {
            one(Double($0.delivery.backlog.bytes))
        },
        gauge("smart_meter_outbox_oldest_age_seconds", "Age of the oldest slot that waits; 0 where none does.") {
            report in
            one(report.delivery.backlog.oldest.map { max(0, Double(report.now - $0) / 1e9) } ?? 0)
        },
        gauge("smart_meter_outbox_rejected_lines", "Lines in the store that InfluxDB has rejected.") {
            one(Double($0.delivery.rejected))
        },
        counter("smart_meter_delivered_lines_total", "Lines that InfluxDB has taken.") {
            one(Double($0.delivery.delivered))
        },
        counter("smart_meter_rejected_lines_total", "Lines that InfluxDB has rejected.") {
            one(Double($0.rejectedSinceStart))
        },
        counter("smart_meter_dropped_slots_total", "Slots given up undelivered, by reason: operator, age.") { report in
            [
                ([("reason", "operator")], Double(report.store.dropped)),
                ([("reason", "age")], Double(report.store.expired)),
            ]
        },
    ]

    private static let service = [
        gauge("smart_meter_info", "Always 1; the version is a label.") { [([("version", $0.version)], 1)] },
        gauge("smart_meter_health", "0 healthy, 1 degraded, 2 unhealthy.") { report in
            switch report.health {
            case .healthy: one(0)
            case .degraded: one(1)
            case .unhealthy: one(2)
            }
        },
        gauge("smart_meter_alert_active", "1 for each alert that has not ended.") { report in
            report.alerts.map { ([("instance", $0.instance), ("kind", $0.kind)], 1) }
        },
        gauge("smart_meter_store_up", "1 while the store takes what is written, 0 while it does not.") {
            one($0.store.isUp ? 1 : 0)
        },
        gauge("smart_meter_store_waiting_readings", "Readings that wait in memory because the store takes none.") {
            one(Double($0.store.waiting))
        },
        counter("smart_meter_lost_readings_total", "Readings given up because memory for them ran out.") {
            one(Double($0.store.lost))
        },
    ]

    private static let process = [
        counter("process_cpu_seconds_total", "CPU time of the process.") { one($0.process.cpuSeconds) },
        gauge("process_resident_memory_bytes", "Resident memory.") { one(Double($0.process.residentBytes)) },
        gauge("process_anonymous_memory_bytes", "The part of the resident memory that belongs to no file.") {
            one(Double($0.process.anonymousBytes))
        },
        gauge("process_virtual_memory_bytes", "Address space.") { one(Double($0.process.virtualBytes)) },
        gauge("process_open_fds", "Open file descriptors.") { one(Double($0.process.openDescriptors)) },
        gauge("process_max_fds", "File descriptors that may be open.") { one(Double($0.process.mostDescriptors)) },
        gauge("process_threads", "Threads.") { one(Double($0.process.threads)) },
        gauge("process_start_time_seconds", "When it started, in Unix time.") {
            one(Double($0.startedAt.nanoseconds) / 1e9)
        },
    ]
}

extension Flow {
    fileprivate var word: String {
        switch self {
        case .imported: "import"
        case .exported: "export"
        case .produced: "production"
        case .consumed: "consumption"
        case .charged: "charge"
        case .discharged: "discharge"
        }
    }
}
