import AdapterKit

/// Makes readings of the past of the devices' minutes.
struct MinuteHouse {
    private let plan: HistoryPlan
    /// By meter and channel, and by their beginning.
    private var minutes: [Source: [Int64: Minute]] = [:]

    private struct Source: Hashable {
        var meter: Int
        var channel: ChannelName
    }

    init(_ plan: HistoryPlan) {
        self.plan = plan
    }

    mutating func add(_ records: MinuteRecords, of log: HistoryPlan.Log) {
        for (channel, list) in records.channels {
            for minute in list {
                minutes[Source(meter: log.meter, channel: channel), default: [:]][minute.start] = minute
            }
        }
    }

    /// What was measured in (end - period, end], in seconds; nil where nothing was.
    func reading(end: Int64, period: Int64) -> Reading? {
        let layout = plan.layout
        var reading = Reading(known: layout.known)
        reading.quality = .backfilled
        reading.timestamp = end * Moment.second
        reading.period = period * Moment.second
        func sum(_ places: [HouseLayout.Place]) -> PeriodSum? {
            places.isEmpty ? nil : self.sum(places.flatMap { layout.legs(of: $0) }, end - period, end)
        }
        reading.set(grid: sum(layout.mains), solar: sum(layout.solar))
        reading.circuits = layout.branches.compactMap { branch in
            guard let sum = sum([branch.place]) else { return nil }
            var circuit = branch.circuit
            circuit.set(sum)
            return circuit
        }
        return reading.isMeasured ? reading : nil
    }

    /// The energies of channels together. Of several, each minute is netted: what one phase returns while another draws
    /// is no export. Nil where less than four fifths of the time are known; nothing is added for the rest.
    private func sum(_ legs: [HouseLayout.Place], _ begin: Int64, _ end: Int64) -> PeriodSum? {
        guard let first = legs.first, let rows = rows(of: first) else { return nil }
        var forwardKWh = 0.0
        var returnedKWh = 0.0
        var seconds = 0.0
        // A minute that began before may reach into the time.
        for minute in rows.values where minute.start < end && minute.start + minute.seconds > begin {
            guard let energy = energy(legs, at: minute) else { continue }
            let overlap = Double(min(end, minute.start + minute.seconds) - max(begin, minute.start))
            let share = overlap / Double(minute.seconds) / 1000
            forwardKWh += energy.forwardWh * share
            returnedKWh += energy.returnedWh * share
            seconds += overlap
        }
        guard seconds > 0, seconds >= 0.8 * Double(end - begin) else { return nil }
        return PeriodSum(
            meanW: (forwardKWh - returnedKWh) * 3_600_000 / seconds, positiveKWh: forwardKWh, negativeKWh: returnedKWh)
    }

    private func rows(of leg: HouseLayout.Place) -> [Int64: Minute]? {
        minutes[Source(meter: leg.meter, channel: leg.channel)]
    }

    private func energy(_ legs: [HouseLayout.Place], at minute: Minute) -> Minute? {
        var net = 0.0
        var only = minute
        for leg in legs {
            guard var row = rows(of: leg)?[minute.start] else { return nil }
            if plan.layout.isBackward(leg, plan.meters) { swap(&row.forwardWh, &row.returnedWh) }
            net += row.forwardWh - row.returnedWh
            only = row
        }
        guard legs.count > 1 else { return only }
        only.forwardWh = max(0, net)
        only.returnedWh = max(0, -net)
        return only
    }
}
