import API
import Adapters
import Delivery
import Pipeline
import Platform
import Readings
import Storage

/// `/metrics`.
extension House {
    func metrics() -> MetricsReport {
        let readings = readings()
        return MetricsReport(
            version: version, now: .now, startedAt: startedWall, health: health().status,
            meters: instances.all.map { meter($0, readings) }, delivery: deliveryStatus(),
            rejectedSinceStart: delivery?.currentStatus.rejected ?? 0, store: storeMetrics(),
            alerts: recentAlerts().filter { $0.end == nil }, process: .now())
    }

    private func meter(_ entry: Instances.Entry, _ readings: [ReadingReport]) -> MetricsReport.Meter {
        let report = report(entry)
        var meter = MetricsReport.Meter(adapter: report)
        // What is old or invented is no measurement.
        meter.reading = readings.first { $0.instance == report.instance && !$0.isStale && !$0.isSimulated }
        meter.readingAgeSeconds = newest(of: entry).map { max(0, Double($0.age) / 1e9) }
        if let view = entry.number.flatMap(pipeline.view(of:)) {
            for flow in Flow.allCases { meter.energyKWh[flow] = view.lifetime[flow].map(Energy.kWh) }
            meter.circuits = zip(view.circuits, zip(view.shownNames, view.circuitLifetimes)).map { circuit, rest in
                MetricsReport.Circuit(id: circuit.id, name: rest.0, energyKWh: Energy.kWh(rest.1))
            }
        }
        if let durations = entry.running?.status.readDurations {
            meter.durations.buckets = zip(ReadDurations.bounds, durations.upTo).map { ($0, $1) }
            meter.durations.count = durations.count
            meter.durations.sumSeconds = durations.sumSeconds
        }
        return meter
    }

    private func storeMetrics() -> MetricsReport.Store {
        let status = pipeline.status
        var store = MetricsReport.Store()
        store.isUp = status.problem == nil
        store.waiting = status.held
        store.lost = status.lost
        store.dropped = status.droppedByOperator
        store.expired = status.expired
        return store
    }
}
