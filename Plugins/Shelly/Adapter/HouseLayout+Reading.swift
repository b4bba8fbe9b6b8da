import AdapterKit

// What the channels say, as a reading.
extension HouseLayout {
    /// Nil where nothing at all is measured.
    func reading(_ meters: [Meter]) -> Reading? {
        var reading = Reading(known: known)
        reading.gridPowerW = power(mains, meters)
        let grid = counters(mains, meters)
        reading.totalEnergy.importKWh = grid?.forward
        reading.totalEnergy.exportKWh = grid?.returned
        reading.solarPowerW = power(solar, meters)
        reading.totalEnergy.productionKWh = production(meters)
        let legs = mains.flatMap { self.legs(of: $0) }.map { channel(at: $0, meters) }
        reading.voltagesV = legs.prefix(3).map { $0?.voltageV }
        reading.frequencyHz = legs.lazy.compactMap { $0?.frequencyHz }.first
        reading.circuits = branches.compactMap { circuit($0, meters) }
        return reading.isMeasured ? reading : nil
    }

    private func channel(at place: Place, _ meters: [Meter]) -> Channel? {
        meters[place.meter].isMeasuring ? meters[place.meter].channels[place.channel] : nil
    }

    /// Where counters stand: those of three phases are apart.
    func legs(of place: Place) -> [Place] {
        guard case .total(let number) = place.channel else { return [place] }
        return (1...3).map { Place(meter: place.meter, channel: .phase(number, $0), sense: place.sense) }
    }

    func isBackward(_ place: Place, _ meters: [Meter]) -> Bool {
        switch place.sense {
        case .forward: return false
        case .backward: return true
        case .byCounters:
            let legs = self.legs(of: place).compactMap { channel(at: $0, meters) }
            let forward = legs.reduce(0) { $0 + ($1.forwardWh ?? 0) }
            return legs.reduce(0) { $0 + ($1.returnedWh ?? 0) } > forward + Self.noiseWh
        }
    }

    /// What a roof's inverter draws at night is no production.
    private static let noiseWh = 100.0

    private func power(_ place: Place, _ meters: [Meter]) -> Double? {
        channel(at: place, meters)?.powerW.map { isBackward(place, meters) ? -$0 : $0 }
    }

    /// Nil unless all of them are measured.
    private func power(_ places: [Place], _ meters: [Meter]) -> Double? {
        guard !places.isEmpty else { return nil }
        var sum = 0.0
        for place in places {
            guard let power = power(place, meters) else { return nil }
            sum += power
        }
        return sum
    }

    /// Lifetime counters in kWh by direction.
    private struct Counters {
        var forward: Double?
        var returned: Double?
    }

    private func counters(_ place: Place, _ meters: [Meter]) -> Counters? {
        guard let channel = channel(at: place, meters) else { return nil }
        let forward = channel.forwardWh.map { $0 / 1000 }
        let returned = channel.returnedWh.map { $0 / 1000 }
        return isBackward(place, meters)
            ? Counters(forward: returned, returned: forward) : Counters(forward: forward, returned: returned)
    }

    /// Of several phases they add up to what the utility counts only while none of them has ever returned anything:
    /// what one returns while another draws is no export.
    private func counters(_ places: [Place], _ meters: [Meter]) -> Counters? {
        let legs = places.flatMap { self.legs(of: $0) }
        if legs.count == 1 { return counters(legs[0], meters) }
        var sum = 0.0
        for leg in legs {
            guard let one = counters(leg, meters), let forward = one.forward, one.returned == 0 else { return nil }
            sum += forward
        }
        return legs.isEmpty ? nil : Counters(forward: sum, returned: 0)
    }

    /// Phases of roofs all produce: their counters add up.
    private func production(_ meters: [Meter]) -> Double? {
        let legs = solar.flatMap { self.legs(of: $0) }
        guard !legs.isEmpty else { return nil }
        var sum = 0.0
        for leg in legs {
            guard let forward = counters(leg, meters)?.forward else { return nil }
            sum += forward
        }
        return sum
    }

    /// Nil where nothing of it is measured.
    private func circuit(_ branch: Branch, _ meters: [Meter]) -> Circuit? {
        guard let channel = channel(at: branch.place, meters) else { return nil }
        var circuit = branch.circuit
        circuit.powerW = power(branch.place, meters)
        let counters = counters([branch.place], meters)
        circuit.totalEnergyKWh = counters?.forward
        circuit.totalReturnedKWh = counters?.returned
        circuit.voltageV = channel.voltageV
        circuit.currentA = channel.currentA
        circuit.powerFactor = channel.powerFactor
        return channel == Channel() ? nil : circuit
    }
}
