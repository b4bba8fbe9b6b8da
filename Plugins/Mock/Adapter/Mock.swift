public import AdapterKit

/// The demonstration meter: a believable household, deterministic from its seed and the time of day.
public final class Mock: MeterAdapter, HistoryProviding {
    public static let descriptor = AdapterDescriptor(
        meterType: "mock", name: "Mock household", vendor: "smart-meter", version: "1.0.0",
        summary: "A simulated household, for trying things out: never real data", samplingSeconds: 10,
        minimumSamplingSeconds: 0.1, historyStepSeconds: 60, historyReachSeconds: 30 * 86400,
        settings: [
            Setting("seed", .number, default: "1", help: "Another number is another household"),
            Setting("solar_peak_w", .number, default: "0", help: "Watts of a solar roof at noon; 0 = no roof"),
            Setting("ev", .flag, default: "0", help: "1 = a car that charges in the evening"),
            Setting(
                "utc_offset_hours", .number, default: "0", help: "Hours that the household's clock is ahead of UTC"),
        ])

    private let host: AdapterHost
    private let household: Household

    public init(host: AdapterHost) throws(AdapterError) {
        self.host = host
        let solarPeakW = host.number("solar_peak_w") ?? 0
        guard solarPeakW >= 0, solarPeakW <= 50_000 else {
            throw AdapterError(.misconfigured, "MOCK_SOLAR_PEAK_W is \(solarPeakW); it must be 0 to 50000")
        }
        let utcOffsetHours = host.number("utc_offset_hours") ?? 0
        guard utcOffsetHours >= -14, utcOffsetHours <= 14 else {
            throw AdapterError(.misconfigured, "MOCK_UTC_OFFSET_HOURS is \(utcOffsetHours); it must be -14 to 14")
        }
        household = Household(
            seed: host.number("seed").flatMap { UInt64(exactly: $0.magnitude.rounded()) } ?? 1,
            solarPeakW: solarPeakW, hasCar: host.flag("ev"), utcOffsetHours: utcOffsetHours)
    }

    public func read(deadline: Deadline) throws(AdapterError) -> Reading {
        household.reading(at: Double(host.nowWall) / 1e9)
    }

    public func history(_ request: HistoryRequest, put: (Reading) -> Bool) throws(AdapterError) -> HistoryOutcome {
        let step = max(request.step, 60_000_000_000)
        var coveredTo = request.from
        for end in request.timestamps(period: step) {
            guard host.nowMonotonic < request.deadline.monotonic else { break }
            var record = household.meanReading(from: Double(end - step) / 1e9, to: Double(end) / 1e9)
            record.quality = .backfilled
            record.timestamp = end
            record.period = step
            coveredTo = end
            guard put(record) else { break }
        }
        return request.outcome(coveredTo: coveredTo, period: step)
    }
}
