/// The minutes in a device's flash: blocks without a hole, a power cut begins a new one.
public struct ShellyLog: Sendable {
    private struct Block: Sendable {
        var begin: Int
        /// Per minute and load, watt hours forward and returned.
        var minutes: [[(forwardWh: Double, returnedWh: Double)]]

        var end: Int { begin + 60 * minutes.count }
    }

    private var blocks: [Block] = []
    private var isCut = true
    private let profile: ShellyGen2.Profile
    private let loadCount: Int
    /// An answer has no more.
    public var recordsPerAnswer = 50
    /// For whoever counts them.
    public var minuteCount: Int { blocks.reduce(0) { $0 + $1.minutes.count } }

    init(_ profile: ShellyGen2.Profile, _ loadCount: Int) {
        self.profile = profile
        self.loadCount = loadCount
    }

    mutating func write(minute begin: Int, _ loads: [ShellyLoad]) {
        let row = loads.map { $0.energy(from: begin, to: begin + 60) }
        if !isCut, let last = blocks.indices.last, blocks[last].end == begin {
            blocks[last].minutes.append(row)
        } else {
            blocks.append(Block(begin: begin, minutes: [row]))
        }
        isCut = false
    }

    mutating func cut() { isCut = true }

    var blockList: [[String: Any]] {
        blocks.map { ["ts": $0.begin, "period": 60, "records": $0.minutes.count] }
    }

    /// GetData: as many records as fit, from the first at or after `from` on.
    func answer(channel: Int, from: Int, to: Int?) -> [String: Any] {
        var left = recordsPerAnswer
        var data: [[String: Any]] = []
        var next: Int?
        for block in blocks where next == nil {
            var begin: Int?
            var values: [[Double]] = []
            for (index, minute) in block.minutes.enumerated() {
                let start = block.begin + 60 * index
                guard start >= from, start <= to ?? .max else { continue }
                guard left > 0 else {
                    next = start
                    break
                }
                left -= 1
                begin = begin ?? start
                values.append(row(minute, channel))
            }
            if let begin { data.append(["ts": begin, "period": 60, "values": values]) }
        }
        var answer: [String: Any] = ["keys": keys, "data": data]
        if let next { answer["next_record_ts"] = next }
        return answer
    }

    private static let shared = [
        "lag_react_energy", "lead_react_energy", "max_act_power", "min_act_power", "max_aprt_power", "min_aprt_power",
        "max_voltage", "min_voltage", "avg_voltage", "max_current", "min_current", "avg_current",
    ]

    private var keys: [String] {
        switch profile {
        case .single: return ["total_act_energy", "total_act_ret_energy"] + Self.shared
        case .threePhase:
            let own = ["total_act_energy", "fund_act_energy", "total_act_ret_energy", "fund_act_ret_energy"]
            return ["a", "b", "c"].flatMap { letter in (own + Self.shared).map { "\(letter)_\($0)" } }
                + ["n_max_current", "n_min_current", "n_avg_current"]
        }
    }

    private func row(_ minute: [(forwardWh: Double, returnedWh: Double)], _ channel: Int) -> [Double] {
        let rest = [0.1, 0.2, 500, 400, 510, 410, 231, 229, 230, 2.2, 1.8, 2]
        func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
        switch profile {
        case .single:
            return [rounded(minute[channel].forwardWh), rounded(minute[channel].returnedWh)] + rest
        case .threePhase:
            return minute.flatMap { load -> [Double] in
                let (forward, returned) = (rounded(load.forwardWh), rounded(load.returnedWh))
                return [forward, forward, returned, returned] + rest
            } + [0, 0, 0]
        }
    }
}
