import Adapters
import Platform
import Synchronization

/// Takes changed settings and changed adapters over, on a thread that comes and goes: stopping an adapter may take a
/// second. What is asked for while it works comes after, the newest of each.
final class Reconfiguration: Sendable {
    private struct Wish: Sendable {
        var settings: Settings
        var catalog: AdapterCatalog
        /// A person has done something: what waits for one tries again.
        var isByPerson: Bool
    }

    private struct State {
        var wish: Wish?
        var isWorking = false
    }

    private let instances: Instances
    private let state = Mutex(State())

    init(_ instances: Instances) {
        self.instances = instances
    }

    func ask(_ settings: Settings, _ catalog: AdapterCatalog, isByPerson: Bool) {
        let begins = state.withLock { state in
            let before = state.wish?.isByPerson ?? false
            state.wish = Wish(settings: settings, catalog: catalog, isByPerson: isByPerson || before)
            defer { state.isWorking = true }
            return !state.isWorking
        }
        guard begins else { return }
        // Without a thread it stays undone until it is asked for again.
        if (try? Thread(name: "reconfigure", body: { [self] in work() })) == nil {
            state.withLock { $0.isWorking = false }
        }
    }

    private func work() {
        while true {
            let wish = state.withLock { state in
                defer { state.wish = nil }
                state.isWorking = state.wish != nil
                return state.wish
            }
            guard let wish else { return }
            instances.reconfigure(
                InstancePlan.all(wish.settings, wish.catalog), wish.settings, isByPerson: wish.isByPerson)
        }
    }
}
