/// One measured branch of a device, in the words of its firmware.
enum ChannelName: Hashable, Comparable, Sendable {
    /// Gen1: `emeter/0`.
    case emeter(Int)
    /// `em1:0`, a clamp of its own.
    case single(Int)
    /// `em:0`, three phases together.
    case total(Int)
    /// A phase of `em:0`; 1 to 3.
    case phase(Int, Int)

    /// As settings and ids write it.
    var text: String {
        switch self {
        case .emeter(let number): "emeter/\(number)"
        case .single(let number): "em1:\(number)"
        case .total(let number): "em:\(number)"
        case .phase(let number, let phase): "em:\(number)/\(Self.letters[min(max(phase, 1), 3) - 1])"
        }
    }

    /// What the keys of a phase begin with.
    static let letters = ["a", "b", "c"]
    /// No device has more clamps.
    static let mostNumbers = 8
}

/// What one channel says. Nil is "not measured".
struct Channel: Hashable, Sendable {
    /// Negative = export.
    var powerW: Double?
    var voltageV: Double?
    var currentA: Double?
    var powerFactor: Double?
    var frequencyHz: Double?
    /// Lifetime counters.
    var forwardWh: Double?
    var returnedWh: Double?
}
