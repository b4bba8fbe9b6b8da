import Analysis
import Observability
import Readings
import Storage

/// Judges each local night once its hour is over: the phantom load, and the alert for it.
struct NightWatch {
    private let number: Int
    private let registration: InstanceRegistration
    /// When the next night can be judged.
    private(set) var next: Instant?

    static let phantomLoad = "phantom_load"
    /// The hour of the local clock in which a house should be asleep.
    private static let hour = 3
    /// After a store that could not be read.
    private static let pause = 5 * Duration.minute
    /// A night older than this is history: no message any more.
    private static let newsworthy = Duration.day

    init(number: Int, registration: InstanceRegistration) {
        self.number = number
        self.registration = registration
    }

    /// How long after the hour its last slot may still change.
    private var wait: Int64 { registration.late + registration.interval / 10 }

    /// Answers whether a night was judged.
    mutating func judge(
        now: Instant, known: PowerSet, names: CircuitNames, identities: [CircuitIdentity], plan: inout CommitPlan,
        store: Store, options: PipelineOptions
    ) -> Bool {
        // What the house measures is known with its first emission: a night is not passed over before.
        guard !known.isEmpty, next.map({ $0 <= now }) ?? true else { return false }
        let zone = options.zone
        let spans = Self.spans(of: now, zone)
        let due = (spans.last?.upperBound ?? zone.startOfDay(containing: now)) + wait
        guard now >= due else {
            next = due
            return false
        }
        do throws(StorageError) {
            let wasJudged = try judge(
                spans, date: zone.localDate(at: now).text, now: now, known: known, names: names, identities: identities,
                plan: &plan, store: store, options: options)
            let tomorrow = zone.nextDayStart(after: now)
            next = (Self.spans(of: tomorrow, zone).last?.upperBound ?? tomorrow) + wait
            return wasJudged
        } catch {
            options.log.write(
                .warning, "phantom load not judged yet: tried again in five minutes",
                [LogField("error", error.message)])
            next = now + Self.pause
            return false
        }
    }

    /// The clock was set back: what comes next is not what it was.
    mutating func rewind() { next = nil }

    private mutating func judge(
        _ spans: [Range<Instant>], date: String, now: Instant, known: PowerSet, names: CircuitNames,
        identities: [CircuitIdentity], plan: inout CommitPlan, store: Store, options: PipelineOptions
    ) throws(StorageError) -> Bool {
        guard let first = spans.first, let last = spans.last, try !store.hasNight(of: number, date: date) else {
            return false
        }
        // There was no night yet.
        guard let begin = try store.firstReading(of: number), begin < last.upperBound else { return false }
        let night = try night(spans, known: known, identities: identities, plan: plan, store: store, options: options)
        plan.nights.append(NightRecord(instance: number, date: date, night: night))
        try alert(night, at: first.lowerBound, now: now, names: names, plan: &plan, store: store, options: options)
        return true
    }

    /// Judges the nights again that repaired slots belong to. Only last night's may still be an alert.
    mutating func rejudge(
        _ slots: [Slot], now: Instant, known: PowerSet, names: CircuitNames, identities: [CircuitIdentity],
        plan: inout CommitPlan, store: Store, options: PipelineOptions
    ) throws(StorageError) {
        let zone = options.zone
        for day in Set(slots.map { zone.startOfDay(containing: $0.end - 1) }).sorted() {
            let spans = Self.spans(of: day, zone)
            guard let first = spans.first, let last = spans.last, last.upperBound + wait <= now,
                slots.contains(where: { slot in
                    spans.contains { slot.start < $0.upperBound && slot.end > $0.lowerBound }
                })
            else { continue }
            let night = try night(
                spans, known: known, identities: identities, plan: plan, store: store, options: options)
            plan.nights.append(NightRecord(instance: number, date: zone.localDate(at: day).text, night: night))
            guard day == zone.startOfDay(containing: now) else { continue }
            try alert(night, at: first.lowerBound, now: now, names: names, plan: &plan, store: store, options: options)
        }
    }

    private func night(
        _ spans: [Range<Instant>], known: PowerSet, identities: [CircuitIdentity], plan: CommitPlan, store: Store,
        options: PipelineOptions
    ) throws(StorageError) -> PhantomLoad.Night {
        guard let first = spans.first, let last = spans.last else {
            return PhantomLoad.night(
                slots: [], spans: [], known: known,
                rules: PhantomLoad.Rules(thresholdW: options.phantomThresholdW, excluded: []))
        }
        let excluded = options.phantomExclude.compactMap { wanted in
            identities.firstIndex { $0.id == wanted || $0.name == wanted }.map { Int32($0) }
        }
        // What has just been closed is in the plan, not yet in the store.
        let stored = try store.slots(of: number, from: first.lowerBound, to: last.upperBound)
        let fresh = plan.slots.filter { $0.instance == number }
        let slots = stored.filter { slot in !fresh.contains { $0.end == slot.end } } + fresh
        return PhantomLoad.night(
            slots: slots, spans: spans, known: known,
            rules: PhantomLoad.Rules(thresholdW: options.phantomThresholdW, excluded: Set(excluded)))
    }

    /// Raised by the first night above the threshold, ended by the first valid one at or under it.
    private mutating func alert(
        _ night: PhantomLoad.Night, at start: Instant, now: Instant, names: CircuitNames, plan: inout CommitPlan,
        store: Store, options: PipelineOptions
    ) throws(StorageError) {
        let open = try store.openAlerts(of: number).last { $0.kind == Self.phantomLoad }
        guard let powerW = night.powerW else {
            options.log.write(.info, "phantom load unknown", [LogField("reason", night.reason ?? "")])
            return
        }
        let isHigh = powerW > options.phantomThresholdW
        guard isHigh || open != nil else { return }
        let kWhPerYear = PhantomLoad.kWhPerYear(powerW: powerW)
        let behind = night.circuits.prefix(5).map { share in
            "\(names.shown[Int(share.circuit)]) \(Shares.tenths(share.powerW)) W"
        }
        let detail =
            "\(kWhPerYear) kWh\(Self.cost(of: kWhPerYear, options)) a year"
            + (behind.isEmpty ? "" : "; behind it: \(behind.joined(separator: ", "))")
        let isRecent = now - start < Self.newsworthy
        plan.alerts.append(
            AlertRecord(
                instance: number, kind: Self.phantomLoad, start: open?.start ?? start,
                peakW: max(open?.peakW ?? 0, powerW), ended: isHigh ? nil : start,
                detail: isHigh ? detail : open?.detail ?? detail,
                isNews: isRecent && (open == nil || !isHigh)))
        guard isRecent else { return }
        if isHigh {
            options.log.write(.warning, "High phantom load detected: \(Shares.tenths(powerW))W at 3am (\(detail))")
        } else {
            options.log.write(.info, "Phantom load is back under the threshold: \(Shares.tenths(powerW))W at 3am")
        }
    }

    private static func cost(of kWhPerYear: Double, _ options: PipelineOptions) -> String {
        guard let tariff = options.tariff else { return "" }
        let cost = PhantomLoad.costPerYear(kWh: kWhPerYear, tariff)
        return options.currency.isEmpty ? ", \(cost)" : ", \(cost) \(options.currency)"
    }

    /// The hour of the local day that `instant` lies in; where the clock skips it, the first hour after.
    private static func spans(of instant: Instant, _ zone: Zone) -> [Range<Instant>] {
        for hour in Self.hour..<24 {
            let spans = zone.spans(on: zone.localDate(at: instant), from: hour * 3600, to: (hour + 1) * 3600)
            if !spans.isEmpty { return spans }
        }
        return []
    }
}
