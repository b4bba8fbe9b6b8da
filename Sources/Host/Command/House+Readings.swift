import API
import Adapters
import Analysis
import Pipeline
import Platform
import Readings

/// The newest reading of each instance.
extension House {
    var readingCount: Int { board.count }
    /// Once the pipeline has had it: the day's energy belongs to a reading.
    func listen(_ ring: (@Sendable () -> Void)?) { pipeline.listen(ring) }

    func houseReading() -> ReadingReport? { houseReading(of: instances.house) }

    func readings() -> [ReadingReport] {
        let entries = instances.all
        let house = houseReading(of: entries.first { $0.plan.isHouse })
        let others = entries.compactMap { entry -> ReadingReport? in
            // The house's own meter is in the list although mock stands in for it.
            guard !entry.plan.isHouse || house?.isSimulated ?? false else { return nil }
            return newest(of: entry).map { newest in
                var report = report(newest.emission, of: entry.plan.identity)
                report.isHouse = false
                report.isStale = !newest.isLive
                return report
            }
        }
        return (house.map { [$0] } ?? []) + others
    }

    private func houseReading(of entry: Instances.Entry?) -> ReadingReport? {
        let newest = newest(of: entry)
        if newest.map({ $0.age > shown($0.emission) }) ?? true, let simulated = standIn?.emission {
            var report = report(simulated, of: StandIn.identity)
            report.isSimulated = true
            return report
        }
        guard let newest, let entry else { return nil }
        var report = report(newest.emission, of: entry.plan.identity)
        report.isStale = !newest.isLive
        return report
    }

    private func report(_ emission: Emission, of meter: InstanceIdentity) -> ReadingReport {
        let known = emission.known
        let view = pipeline.view(of: emission.instance)
        var report = ReadingReport(
            instance: meter.name, meterType: meter.meterType, timestamp: emission.timestamp,
            totalIs: HousePowers.totalIs(known: known))
        report.totalPowerW = HousePowers.total(emission.powers, known: known).map(Shares.thousandths)
        report.powers = emission.powers
        report.powers.consumptionW =
            HousePowers.knowsConsumption(known)
            ? HousePowers.consumption(emission.powers, known: known).map(Shares.thousandths) : nil
        report.unmonitoredPowerW = Remainder.watts(of: emission).map(Shares.thousandths)
        report.quality = emission.quality
        report.dailyKWh = today(view) ?? emission.dayEnergy.map(Shares.kWh)
        let (first, second, third) = emission.voltageV
        report.voltageV = [first, second, third].map(rounded)
        report.frequencyHz = rounded(emission.frequencyHz)
        let use = HousePowers.use(emission.powers, known: known)
        report.circuits = emission.circuits.map { circuit($0, emission.catalog, view?.shownNames ?? [], use: use) }
        return report
    }

    private func circuit(
        _ sample: CircuitSample, _ catalog: CircuitCatalog, _ shownNames: [String], use: Double?
    ) -> ReadingReport.Circuit {
        let number = Int(sample.circuit)
        let identity = catalog.circuits[number]
        var circuit = ReadingReport.Circuit(
            id: identity.id, name: shownNames.indices.contains(number) ? shownNames[number] : identity.name,
            powerW: sample.power, percentage: Shares.percentage(sample, use: use))
        circuit.kind = sample.kind
        circuit.parentID = identity.parentID
        circuit.phase = Int(sample.phase)
        circuit.quality = sample.quality
        circuit.voltageV = sample.present.contains(.voltage) ? rounded(sample.voltageV) : nil
        circuit.currentA = sample.present.contains(.current) ? rounded(sample.currentA) : nil
        circuit.powerFactor = sample.present.contains(.powerFactor) ? rounded(sample.powerFactor) : nil
        return circuit
    }

    /// What single precision holds, without the digits that it does not.
    private func rounded(_ value: Float?) -> Double? { value.map { Shares.thousandths(Double($0)) } }

    /// The day's energy, where it is still that day.
    private func today(_ view: InstanceView?) -> Double? {
        guard let view, let energy = view.dayEnergy, let at = view.dayEnergyAt else { return nil }
        guard zone.zone.localDate(at: at) == zone.zone.localDate(at: .now) else { return nil }
        return Shares.kWh(energy)
    }
}
