public import AdapterKit

/// My meter: says the power that its setting gives, until you ask a device instead.
public final class Meter: MeterAdapter {
    public static let descriptor = AdapterDescriptor(
        meterType: "my_meter", name: "My meter", vendor: "you", version: "0.1.0",
        summary: "Says the power that MY_METER_WATTS gives", samplingSeconds: 10, minimumSamplingSeconds: 1,
        settings: [
            Setting("watts", .number, default: "250", help: "Watts that the house uses, 0 to 100000")
        ])

    private let watts: Double

    /// Checks the settings. No I/O here; that begins in `start` or `read`.
    public init(host: AdapterHost) throws(AdapterError) {
        guard let watts = host.number("watts"), (0...100_000).contains(watts) else {
            throw AdapterError(.misconfigured, "MY_METER_WATTS must be a number from 0 to 100000")
        }
        self.watts = watts
    }

    /// One sample. Ask the device here (`AdapterHost.http` makes a request), and throw what went wrong.
    public func read(deadline: Deadline) throws(AdapterError) -> Reading {
        var reading = Reading(known: .consumption)
        reading.consumptionPowerW = watts
        return reading
    }
}
