import Adapters
import Configuration
import Readings

/// What is to become of one instance that `METER_TYPE` names.
struct InstancePlan: Sendable {
    enum Fate: Sendable {
        /// The adapter and its settings.
        case ready(LoadedAdapter, ResolvedAdapterSettings)
        /// Not among the adapters found so far, and not all files have been looked at.
        case loading
        /// Not among the adapters found.
        case waiting(String)
        /// A setting is missing or wrong.
        case misconfigured(LoadedAdapter, ResolvedAdapterSettings, String)
    }

    let identity: InstanceIdentity
    let fate: Fate
    var isHouse: Bool

    /// The adapter and its settings, where one was found.
    var adapter: (adapter: LoadedAdapter, settings: ResolvedAdapterSettings)? {
        switch fate {
        case .ready(let adapter, let resolved), .misconfigured(let adapter, let resolved, _): (adapter, resolved)
        case .loading, .waiting: nil
        }
    }

    init(identity: InstanceIdentity, fate: Fate, isHouse: Bool) {
        self.identity = identity
        self.fate = fate
        self.isHouse = isHouse
    }

    /// For one instance alone.
    init(_ identity: InstanceIdentity, _ settings: Settings, _ catalog: AdapterCatalog) {
        self.init(identity: identity, fate: Self.fate(identity, settings, catalog), isHouse: true)
    }

    /// The plans for everything that `METER_TYPE` names, in its order.
    static func all(_ settings: Settings, _ catalog: AdapterCatalog) -> [InstancePlan] {
        var identities: [InstanceIdentity] = []
        for selection in settings.host.meterTypes {
            switch selection {
            case .instance(let identity): identities.append(identity)
            case .all:
                // Which of them is the house must not depend on which file is looked at first.
                guard catalog.isComplete else { break }
                identities += catalog.adapters.map { InstanceIdentity(meterType: $0.description.meterType) }
                    .filter { identity in
                        guard identity.meterType != "mock", !identities.contains(identity) else { return false }
                        if case .ready = fate(identity, settings, catalog) { return true }
                        return false
                    }
            }
        }
        let house = settings.host.primaryMeter ?? identities.first
        return identities.map {
            InstancePlan(identity: $0, fate: fate($0, settings, catalog), isHouse: $0 == house)
        }
    }

    private static func fate(_ identity: InstanceIdentity, _ settings: Settings, _ catalog: AdapterCatalog) -> Fate {
        guard let adapter = catalog.adapter(ofType: identity.meterType) else {
            guard catalog.isComplete else { return .loading }
            let places = catalog.directories.joined(separator: ":")
            let nearest = NearestName.of(identity.meterType, in: catalog.adapters.map(\.description.meterType))
            let unknown = catalog.waiting.first.map { "; \($0.path) is not known yet: it waits for the host" } ?? ""
            return .waiting(
                "no adapter of type \(identity.meterType)\(NearestName.hint(nearest)) in \(places)\(unknown)")
        }
        let resolved = AdapterSettingResolver(identity: identity, lookup: settings.lookup)
            .resolve(adapter.description.settings)
        guard resolved.problems.isEmpty else {
            return .misconfigured(adapter, resolved, resolved.problems.joined(separator: "; "))
        }
        return .ready(adapter, resolved)
    }
}

extension ResolvedAdapterSettings {
    /// Nanoseconds of a slot.
    func interval(_ host: HostSettings) -> Int64 {
        Int64(intervalSeconds ?? host.fetchIntervalSeconds) * Duration.second
    }

    /// Nanoseconds between samples: as wanted, or as many times that as the day's ration asks for.
    func sampling(_ description: AdapterDescription, _ host: HostSettings) -> Int64 {
        let wanted = wantedSampling(description, host)
        guard let ration = ration(description) else { return wanted }
        let affordable = Duration.day / Int64(ration)
        return affordable > wanted ? (affordable + wanted - 1) / wanted * wanted : wanted
    }

    /// Nanoseconds between samples: as set, as the adapter says, or once an interval.
    func wantedSampling(_ description: AdapterDescription, _ host: HostSettings) -> Int64 {
        let interval = interval(host)
        if let sampleSeconds { return max(Int64(sampleSeconds * 1e9), description.minimumSampling) }
        let wanted = description.defaultSampling == 0 ? interval : description.defaultSampling
        return max(min(wanted, interval), description.minimumSampling)
    }

    /// The smaller of what the adapter allows and what was set; nil = no limit.
    func ration(_ description: AdapterDescription) -> Int? {
        switch (requestsPerDay, description.requestsPerDay) {
        case (nil, 0): nil
        case (nil, let allowed): allowed
        case (let set?, 0): set
        case (let set?, let allowed): min(set, allowed)
        }
    }
}
