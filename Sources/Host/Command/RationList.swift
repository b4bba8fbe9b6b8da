import Adapters
import Configuration
import Readings
import Storage

/// What is left of the rations of all instances that are configured, as the store has it: whether a host runs or not.
struct RationList {
    struct Entry {
        let instance: String
        let perDay: Int
        let left: Int
    }

    private let settings: Settings
    private let plans: [InstancePlan]
    /// Nil where there is no store, or none that this user may read: then nothing is known to be used.
    private let reader: Reader?

    init(_ settings: Settings, _ catalog: AdapterCatalog) {
        self.settings = settings
        plans = InstancePlan.all(settings, catalog)
        reader = try? Reader(directory: DataDirectory(unlocked: settings.dataDirectory))
    }

    /// Of the instances of one adapter that have one.
    func entries(of adapter: AdapterDescription) -> [Entry] {
        plans.filter { $0.identity.meterType == adapter.meterType }.compactMap { plan in
            guard let perDay = plan.adapter?.settings.ration(adapter) else { return nil }
            let stored = try? reader?.state(of: plan.identity, StateKey.ration)
            return Entry(
                instance: plan.identity.name, perDay: perDay,
                left: RunningAdapter.requestsLeft(of: perDay, stored: stored ?? nil))
        }
    }
}
