import Foundation

/// The device's two logs: records of running sums, 5 s and 1 min apart. What lies between two records is the difference
/// of their sums.
struct IoTaWattLog: Sendable {
    /// The sums of one record.
    struct Record {
        /// What was asked for, whether there is a record of that time or not.
        var key: Int
        /// The time whose sums it has.
        fileprivate var at: Int
        /// For how long the device has measured.
        var seconds: Int
    }

    /// Sums of a day in steps of 5 s.
    private struct Channel {
        /// Wh or Vh, and VAh or Hzh, since midnight.
        var first: [Double]
        var second: [Double]
    }

    let model: IoTaWattModel
    private let channels: [Int: Channel]
    static let step = 5
    private static let day = 86_400

    init(_ model: IoTaWattModel) {
        self.model = model
        var channels: [Int: Channel] = [:]
        for input in model.inputs { channels[input.channel] = Self.sums(of: input) }
        self.channels = channels
    }

    private static func sums(of input: IoTaWattModel.Input) -> Channel {
        var channel = Channel(first: [0], second: [0])
        let hours = Double(step) / 3600
        for second in stride(from: 0, to: day, by: step) {
            let (one, two) =
                switch input.kind {
                case .voltage(let volts, let hertz): (volts, hertz)
                case .power(let watts, let powerFactor, _): (watts(second), abs(watts(second)) / powerFactor)
                }
            channel.first.append((channel.first.last ?? 0) + one * hours)
            channel.second.append((channel.second.last ?? 0) + two * hours)
        }
        return channel
    }

    // MARK: Keys

    func currentLastKey(now: Double) -> Int { floored(now - model.logLagSeconds, Self.step) }
    func historyLastKey(now: Double) -> Int { floored(now - model.logLagSeconds, 60) }

    private func floored(_ seconds: Double, _ step: Int) -> Int { Int(seconds.rounded(.down)) / step * step }

    /// As `logReadKey` of the firmware: where the log has no record of that time, the one before; before the first, the
    /// first.
    func record(at key: Int, now: Double) -> Record {
        let isHistory =
            key < model.currentLogFrom || (key.isMultiple(of: 60) && key <= historyLastKey(now: now))
        let at =
            isHistory
            ? min(max(key / 60 * 60, model.historyLogFrom), historyLastKey(now: now))
            : min(max(key / Self.step * Self.step, model.currentLogFrom), currentLastKey(now: now))
        return Record(key: key, at: at, seconds: seconds(at))
    }

    // MARK: Sums

    /// Wh (or Vh) of a channel between two records.
    func first(_ channel: Int, from old: Record, to new: Record) -> Double {
        sum(channel, new.at, \.first) - sum(channel, old.at, \.first)
    }

    /// VAh (or Hzh).
    func second(_ channel: Int, from old: Record, to new: Record) -> Double {
        sum(channel, new.at, \.second) - sum(channel, old.at, \.second)
    }

    private func sum(_ number: Int, _ at: Int, _ sums: KeyPath<Channel, [Double]>) -> Double {
        guard let channel = channels[number] else { return 0 }
        let table = channel[keyPath: sums]
        return accumulated(at) { instant in
            Double(instant / Self.day) * (table.last ?? 0) + table[instant % Self.day / Self.step]
        }
    }

    private func seconds(_ at: Int) -> Int {
        model.holes.reduce(at) { $0 - max(0, min(at, $1.upperBound) - $1.lowerBound) }
    }

    /// A running sum without what ran on while the device was off.
    private func accumulated(_ at: Int, _ whole: (Int) -> Double) -> Double {
        model.holes.reduce(whole(at)) { sum, hole in
            at <= hole.lowerBound ? sum : sum - (whole(min(at, hole.upperBound)) - whole(hole.lowerBound))
        }
    }
}
