public import Readings

/// One of the energies of a slot: a flow of the house, or a direction of a circuit.
public enum EnergyChannel: Hashable, Sendable {
    case flow(Flow)
    /// By the circuit's durable number: in the kind's positive direction, and in the opposite one.
    case circuit(Int32)
    case returned(Int32)
}

extension Slot {
    public func energy(_ channel: EnergyChannel) -> Millijoules? {
        switch channel {
        case .flow(let flow): energy[flow]
        case .circuit(let number): circuits.first { $0.circuit == number }?.energy
        case .returned(let number): circuits.first { $0.circuit == number }?.returned
        }
    }

    /// A circuit that the slot does not show stays without.
    mutating func setEnergy(_ value: Millijoules, _ channel: EnergyChannel) {
        switch channel {
        case .flow(let flow): energy[flow] = value
        case .circuit(let number):
            guard let index = circuits.firstIndex(where: { $0.circuit == number }) else { return }
            circuits[index].energy = value
        case .returned(let number):
            guard let index = circuits.firstIndex(where: { $0.circuit == number }) else { return }
            circuits[index].returned = value
        }
    }
}

extension Carry {
    /// Energies that a counter of the meter tells.
    public func counted(known: PowerSet) -> Set<EnergyChannel> {
        var channels = Set<EnergyChannel>()
        for flow in Flow.allCases where flows[flow]?.reading != nil { channels.insert(.flow(flow)) }
        if isConsumptionBalanced(known: known) { channels.insert(.flow(.consumed)) }
        for number in circuits.indices {
            if circuits[number].energy.reading != nil { channels.insert(.circuit(Int32(number))) }
            if circuits[number].returned.reading != nil { channels.insert(.returned(Int32(number))) }
        }
        return channels
    }
}
