import Readings

extension Repair.Outcome {
    /// With one shift for each run of slots that follow each other on one local day: each slot of a run has its part of
    /// those before it in the run, and the shift is what all of them add for what lies behind.
    func joined(in zone: Zone) -> Repair.Outcome {
        var joined = Repair.Outcome()
        let shifts = Dictionary(shifts.map { ($0.end, $0) }) { first, _ in first }
        var run: [Slot] = []
        var circuits: Set<Int32> = []
        func close() {
            guard let last = run.last else { return }
            var shifted = ShiftedSlots(run.compactMap { shifts[$0.end] }, zone: zone)
            for slot in run { joined.slots.append(shifted.take(slot) ?? slot) }
            let sum = shifted.rest(behind: last.end)[0]
            if !sum.isNothing { joined.shifts.append(sum) }
            run = []
            circuits = []
        }
        for slot in slots {
            // The last slot of a run has to show the whole shift of it.
            let isNext =
                run.last.map { last in
                    last.end == slot.start
                        && zone.startOfDay(containing: last.end - 1) == zone.startOfDay(containing: slot.end - 1)
                        && circuits.isSubset(of: slot.circuits.lazy.map(\.circuit))
                } ?? true
            if !isNext { close() }
            run.append(slot)
            if let shift = shifts[slot.end] { circuits.formUnion(shift.circuits.keys) }
        }
        close()
        return joined
    }
}
