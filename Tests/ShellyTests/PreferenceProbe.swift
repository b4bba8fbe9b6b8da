import AdapterABI
import AdapterKit
import FakeHost
import Synchronization

@testable import ShellyAdapter

/// Reads preferences from a host in memory, through an adapter that does nothing else.
final class PreferenceProbe: MeterAdapter {
    static let descriptor = AdapterDescriptor(
        meterType: "probe", name: "Probe", version: "1", summary: "", minimumSamplingSeconds: 1,
        settings: Preferences.settings)

    private static let found = Mutex<Preferences?>(nil)
    private static let turn = Mutex(())

    init(host: AdapterHost) throws(AdapterError) {
        let preferences = try Preferences(host)
        Self.found.withLock { $0 = preferences }
    }

    /// Throws what the adapter says of the settings.
    static func preferences(_ settings: [String: String]) throws -> Preferences {
        try turn.withLock { _ in
            let library = unsafe exportAdapters(METER_ABI_MAJOR << 16 | METER_ABI_MINOR, PreferenceProbe.self)
            _ = try unsafe AdapterUnderTest(library).create(FakeHost(settings: settings))
            guard let preferences = found.withLock({ $0 }) else {
                throw AdapterFailure(code: METER_FAILED, message: "no preferences")
            }
            return preferences
        }
    }
}
