import Analysis
import Observability
import Readings
import Storage

/// One instance within the pipeline: its line to the slots, its circuits' names, and what is watched over it.
struct InstanceWork {
    let number: Int
    let registration: InstanceRegistration
    var line: InstanceLine
    var names: CircuitNames
    var identities: [CircuitIdentity]
    private var catalogVersion: Int?
    private var hasSlots: Bool
    private var high: HighConsumption
    /// What was said when the episode was raised: the threshold may have changed since.
    private var highDetail: String
    /// Whether it stands for the house now.
    private(set) var isHouse: Bool
    var nights: NightWatch
    /// Nil where the meter has no log.
    var repair: InstanceRepair?
    let rules: FoldRules
    var known: PowerSet = []
    private var newest = Instant(nanoseconds: .min)
    var view = InstanceView()

    /// The state key of the fold's base.
    private static let foldKey = "host:fold"
    static let highConsumption = "high_consumption"

    init(
        number: Int, registration: InstanceRegistration, circuits: [CircuitIdentity], state: [String: [UInt8]],
        store: Store, options: PipelineOptions
    ) throws(StorageError) {
        self.number = number
        self.registration = registration
        identities = circuits
        names = try store.names(of: number)
        if !registration.isHouse { names.reserve(CircuitIdentity.totalName) }
        hasSlots = try store.hasSlots(of: number)
        rules = FoldRules(
            instance: number, maximumPowerW: registration.maximumPowerW, isHouse: registration.isHouse)
        line = InstanceLine(
            settings: InstanceLine.Settings(
                identity: registration.identity, interval: registration.interval, late: registration.late, rules: rules),
            base: state[Self.foldKey].flatMap(Carry.init(decoding:)),
            journal: try store.journal(of: number, catalog: CircuitCatalog(circuits: circuits, version: 0)))
        let open = try store.openAlerts(of: number).last { $0.kind == Self.highConsumption }
        high = HighConsumption(
            rules: options.high, open: open.map { HighConsumption.Episode(start: $0.start, peakW: $0.peakW ?? 0) })
        highDetail = open?.detail ?? ""
        isHouse = registration.isHouse
        nights = NightWatch(number: number, registration: registration)
        repair = registration.history.map {
            InstanceRepair(number: number, limits: $0, interval: registration.interval, state: state)
        }
        view.shownNames = names.shown
        view.circuits = circuits
    }

    /// Takes changed rules over.
    mutating func adopt(_ options: PipelineOptions) { high.rules = options.high }

    // MARK: Emissions

    /// Answers whether a commit is due at once.
    mutating func take(_ emission: Emission, plan: inout CommitPlan, options: PipelineOptions) -> Bool {
        guard line.accept(emission) == .taken else {
            view.tooLate += 1
            return false
        }
        known = emission.known
        takeNames(emission.catalog, plan: &plan)
        plan.emissions.append(emission)
        var isUrgent = false
        if !hasSlots {
            hasSlots = true
            isUrgent = true
            plan.slots.append(firstLight(emission))
        }
        if emission.timestamp > newest {
            newest = emission.timestamp
            if isHouse, watch(emission, plan: &plan, options: options) { isUrgent = true }
        }
        return isUrgent
    }

    mutating func takeNames(_ catalog: CircuitCatalog, plan: inout CommitPlan) {
        guard catalog.version != catalogVersion else { return }
        catalogVersion = catalog.version
        var changed = Set(names.take(catalog))
        for (index, identity) in catalog.circuits.enumerated()
        where index >= identities.count || identities[index] != identity {
            changed.insert(Int32(index))
        }
        identities = catalog.circuits
        view.circuits = identities
        view.shownNames = names.shown
        for circuit in changed.sorted() {
            plan.circuits.append(
                CircuitRecord(
                    instance: number, number: circuit, identity: catalog.circuits[Int(circuit)],
                    shownName: names.shown[Int(circuit)]))
        }
    }

    /// Whoever sets a meter up sees data within a second: the first emission of all, as it is.
    private func firstLight(_ emission: Emission) -> Slot {
        var slot = Slot(
            instance: number, start: emission.timestamp, end: emission.timestamp, isHouse: registration.isHouse,
            totalIs: HousePowers.totalIs(known: emission.known))
        slot.powers = emission.powers
        slot.powers.consumptionW =
            HousePowers.knowsConsumption(emission.known)
            ? HousePowers.consumption(emission.powers, known: emission.known).map(Shares.thousandths) : nil
        slot.totalPowerW = HousePowers.total(emission.powers, known: emission.known).map(Shares.thousandths)
        slot.quality = emission.quality
        slot.dayEnergy = emission.dayEnergy ?? 0
        let use = HousePowers.use(emission.powers, known: emission.known)
        for sample in emission.circuits {
            var circuit = CircuitSlot(circuit: sample.circuit, kind: sample.kind, quality: sample.quality)
            circuit.powerW = sample.power.map(Shares.thousandths)
            circuit.percentage = Shares.percentage(sample, use: use)
            slot.circuits.append(circuit)
        }
        return slot
    }

    private mutating func updateDay(_ options: PipelineOptions) {
        guard let now = line.dayNow(day: options.zone.dayBounds) else { return }
        view.dayEnergy = now.carry.day.energy
        view.dayEnergyAt = now.at
        for flow in Flow.allCases { view.lifetime[flow] = now.carry.flows[flow]?.lifetime }
    }

    /// The alert for high consumption. Held and backfilled values never come here.
    private mutating func watch(_ emission: Emission, plan: inout CommitPlan, options: PipelineOptions) -> Bool {
        let use = HousePowers.use(emission.powers, known: emission.known)
        guard
            let event = high.take(
                use, at: emission.timestamp, holdsFor: max(emission.period, emission.hold))
        else { return false }
        let name = registration.identity.name
        func record(_ episode: HighConsumption.Episode, _ ended: Instant?, isNews: Bool) {
            plan.alerts.append(
                AlertRecord(
                    instance: number, kind: Self.highConsumption, start: episode.start, peakW: episode.peakW,
                    ended: ended, detail: highDetail, isNews: isNews))
        }
        switch event {
        case .raised(let episode):
            highDetail = "above \(options.high.thresholdW) W"
            record(episode, nil, isNews: true)
            options.log.write(
                .warning, "High power consumption: \(Shares.tenths(episode.peakW))W", [LogField("instance", name)])
            return true
        case .grew(let episode):
            record(episode, nil, isNews: false)
            return false
        case .ended(let episode, let end):
            record(episode, end, isNews: true)
            options.log.write(
                .info, "High power consumption ended",
                [LogField("instance", name), LogField("peak_w", Shares.tenths(episode.peakW))])
            return true
        }
    }

    /// How all instances do. What is watched over the house ends where this one is not it any more.
    mutating func take(_ reports: [InstanceReport]) {
        isHouse =
            registration.isHouse && reports.contains { $0.identity == registration.identity && $0.isHouse }
        if !isHouse { high.forget() }
    }

    // MARK: Time

    /// Makes the future's slots be overwritten as time reaches them.
    mutating func rewind(to now: Instant, plan: inout CommitPlan, options: PipelineOptions) {
        guard let base = line.rewind(to: now, day: options.zone.dayBounds) else { return }
        plan.forgetEmissionsOf.insert(number)
        plan.emissions.removeAll { $0.instance == number }
        plan.keepEmissionsFrom[number] = nil
        keep(base, &plan)
        newest = Instant(nanoseconds: .min)
        nights.rewind()
        updateDay(options)
        options.log.write(
            .warning, "the clock was set back: slots in the future are made anew as time reaches them",
            [LogField("instance", registration.identity.name)])
    }

    func keep(_ base: Carry, _ plan: inout CommitPlan) {
        plan.states.removeAll { $0.instance == number && $0.key == Self.foldKey }
        plan.states.append(StateRecord(instance: number, key: Self.foldKey, value: base.encoded()))
    }

    /// Wall time of what comes next by itself.
    var nextWake: Instant? {
        guard let night = nights.next else { return line.nextClose }
        return min(line.nextClose ?? night, night)
    }

    /// Closes what has ended. Answers whether a commit is due at once.
    mutating func advance(now: Instant, plan: inout CommitPlan, store: Store, options: PipelineOptions) -> Bool {
        let slots = line.close(now: now, day: options.zone.dayBounds)
        plan.slots.append(contentsOf: slots)
        if registration.isHouse, let slot = slots.last { report(slot, options) }
        if let final = line.finalise(now: now) {
            keep(final.base, &plan)
            plan.keepEmissionsFrom[number] = final.keepFrom
        }
        updateDay(options)
        if view.newestSlot != line.newestSlot || view.circuitLifetimes.isEmpty {
            view.circuitLifetimes = line.circuitAccounts.map(\.energy.lifetime)
        }
        view.newestSlot = line.newestSlot
        let judged =
            isHouse
            && nights.judge(
                now: now, known: known, names: names, identities: identities, plan: &plan, store: store,
                options: options)
        return !slots.isEmpty || judged
    }

    private func report(_ slot: Slot, _ options: PipelineOptions) {
        let power = slot.totalPowerW.map { "\(Shares.tenths($0))W" } ?? "not measured"
        let day = slot.dayEnergy.map { "\(Shares.thousandths(Energy.kWh($0)))kWh" } ?? "not measured"
        options.log.write(
            .info, "Power: \(power), Daily: \(day), Circuits: \(slot.circuits.count)",
            [LogField("instance", registration.identity.name)])
    }
}

extension Zone {
    /// The local day that an instant lies in.
    func dayBounds(_ instant: Instant) -> DayBounds {
        DayBounds(start: startOfDay(containing: instant), end: nextDayStart(after: instant))
    }
}
