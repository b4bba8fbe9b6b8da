import Foundation
import Platform
import Synchronization
import TestSupport

/// A week of an IoTaWatt's log through the whole host, while it goes on reading.
enum BackfillBenchmark {
    private static let slots = 2016
    private static let samplingSeconds = 5

    static func run() throws -> [Measurement] {
        let now = Int(Date().timeIntervalSince1970)
        let device = try IoTaWattSimulator(.house(now: now))
        let host = try HostProcess([
            "METER_TYPE": "iotawatt", "IOTAWATT_URL": device.url, "IOTAWATT_SAMPLE_SECONDS": "\(samplingSeconds)",
        ])
        try host.waitForConsumption("a reading") { $0["total_power_w"] is NSNumber }
        device.forgetRequests()

        let watch = AgeWatch(port: host.port)
        let begin = Clock.monotonic()
        let answer = try host.command(
            ["backfill", "iotawatt", "--from", "\((now / 300 - slots) * 300)"], within: 120)
        let seconds = Double(Clock.monotonic() - begin) / 1e9
        let oldest = watch.end()
        guard answer.status == 0, let filled = answer.output.split(separator: " ").first.flatMap({ Int($0) }),
            filled >= slots - 1
        else {
            throw Failure(reason: answer.output + answer.errors)
        }
        return [
            Measurement(
                what: "A week of an IoTaWatt's log, through the host", figure: "\(Measurement.rounded(seconds)) s",
                how: "`smart-meter backfill`: \(filled) slots of 5 min, 14 circuits, from a simulated device that "
                    + "answers at once, to the last one durable; \(device.requests.count) requests. Read every "
                    + "\(samplingSeconds) s meanwhile: no reading older than \(Measurement.rounded(oldest)) s; aim 10 s"
            )
        ]
    }

    private struct Failure: Error {
        let reason: String
    }
}

/// Looks at how old the newest reading is, twenty times a second.
private final class AgeWatch: Sendable {
    private let oldest = Mutex(0.0)
    private let isOver = Mutex(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(port: UInt16) {
        Thread.detachNewThread { [self] in
            while !isOver.withLock({ $0 }) {
                let text = (try? HTTP.get(port, "/metrics", timeout: 2).text) ?? ""
                let line = text.split(separator: "\n").first { $0.hasPrefix("smart_meter_reading_age_seconds") }
                if let age = line?.split(separator: " ").last.flatMap({ Double($0) }) {
                    oldest.withLock { $0 = max($0, age) }
                }
                Thread.sleep(forTimeInterval: 0.05)
            }
            hasEnded.signal()
        }
    }

    /// - Returns: the age in seconds of the oldest that was the newest.
    func end() -> Double {
        isOver.withLock { $0 = true }
        hasEnded.wait()
        return oldest.withLock { $0 }
    }
}
