public import AdapterKit

/// Listens to Shelly energy meters of both dialects at the house's MQTT broker, and asks those that keep a log for what
/// was missed.
///
/// Sources: https://shelly-api-docs.shelly.cloud, gen1 (Shelly EM, Shelly 3EM, MQTT) and gen2 (EM, EM1, EMData,
/// EM1Data, Mqtt, RPC protocol).
public final class Shelly: MeterAdapter, HistoryProviding {
    public static let descriptor = AdapterDescriptor(
        meterType: "shelly", name: "Shelly", vendor: "smart-meter", version: "1.0.0",
        url: "https://www.shelly.com", summary: "Shelly energy meters of all generations, over your own MQTT broker",
        delivery: .push, samplingSeconds: 60, minimumSamplingSeconds: 1, lateSeconds: 5, historyStepSeconds: 60,
        historyReachSeconds: 60 * 86400, settings: Preferences.settings)

    private let host: AdapterHost
    private let preferences: Preferences
    private var running: (exchange: Exchange, worker: Worker)?
    private var history = HistoryPortion()

    /// `stop` has a second.
    private static let stopMilliseconds: Int32 = 900

    public init(host: AdapterHost) throws(AdapterError) {
        self.host = host
        preferences = try Preferences(host)
    }

    /// Connecting is the thread's work: a broker that is away now is tried for as long as it takes.
    public func start() throws(AdapterError) {
        let exchange = try Exchange()
        let (host, preferences) = (host, preferences)
        let worker = try Worker {
            var listener = Listener(host, preferences, exchange)
            listener.run()
        }
        running = (exchange, worker)
    }

    public func stop() {
        running?.exchange.stop()
        // A look-up of a name cannot be interrupted: the thread ends by itself, and says nothing any more.
        running?.worker.join(milliseconds: Self.stopMilliseconds)
        running = nil
    }

    public func history(_ request: HistoryRequest, put: (Reading) -> Bool) throws(AdapterError) -> HistoryOutcome {
        guard let exchange = running?.exchange else { throw AdapterError(.failed, "history before start") }
        return try history.answer(request, DeviceLogs(host, exchange, request.deadline), now: host.nowWall, put: put)
    }
}
