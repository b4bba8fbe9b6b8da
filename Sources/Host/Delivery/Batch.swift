import Readings
import Storage

/// What became of each line of a batch.
struct Batch {
    private enum Fate {
        case open
        case accepted
        case rejected(String)
        /// Refused in words that do not say that the line is at fault.
        case suspected(String)
    }

    private var fates: [Fate]
    private(set) var acceptedCount = 0
    /// Lines that were refused alone.
    private(set) var refusedCount = 0
    private(set) var lastWords = ""

    init(count: Int) {
        fates = [Fate](repeating: .open, count: count)
    }

    mutating func accept(_ lines: Range<Int>) {
        for line in lines { fates[line] = .accepted }
        acceptedCount += lines.count
    }

    mutating func reject(_ line: Int, words: String) {
        fates[line] = .rejected(words)
        refusedCount += 1
        lastWords = words
    }

    mutating func suspect(_ line: Int, _ words: String) {
        fates[line] = .suspected(words)
        refusedCount += 1
        lastWords = words
    }

    /// So many refused one by one, and not one taken: going on would only ask the server the same again.
    var isHopeless: Bool { acceptedCount == 0 && refusedCount >= 64 }

    /// Several lines, and not one was taken: the fault is not theirs. A suspect alone proves nothing either.
    var isStuck: Bool {
        guard acceptedCount == 0, !fates.isEmpty else { return false }
        return fates.count > 1 || fates.contains { if case .suspected = $0 { true } else { false } }
    }

    var rejectedCount: Int {
        isStuck
            ? 0
            : fates.reduce(0) { count, fate in
                switch fate {
                case .rejected, .suspected: count + 1
                case .open, .accepted: count
                }
            }
    }

    /// Rows of which every line has been answered for.
    func settlement(
        _ slots: [OutboundSlot], _ alerts: [OutboundAlert], _ writer: LineWriter, failed: Bool
    ) -> Settlement {
        var settlement = Settlement()
        guard failed || !isStuck else { return settlement }
        var openSlots = Set<Int>()
        var openAlerts = Set<Int>()
        for (index, line) in writer.lines.enumerated() {
            let isOpen =
                switch fates[index] {
                case .open: true
                case .accepted: false
                // Judged only together with a neighbour that was accepted.
                case .rejected, .suspected: acceptedCount == 0 && failed
                }
            guard isOpen else { continue }
            switch line.source {
            case .slot(let slot): openSlots.insert(slot)
            case .alert(let alert): openAlerts.insert(alert)
            }
        }
        settlement.slots = slots.indices.filter { !openSlots.contains($0) }.map { slots[$0].row }
        settlement.alerts = alerts.indices.filter { !openAlerts.contains($0) }.map { alerts[$0].row }
        settlement.rejected = rejected(slots, alerts, writer, openSlots, openAlerts)
        return settlement
    }

    private func rejected(
        _ slots: [OutboundSlot], _ alerts: [OutboundAlert], _ writer: LineWriter, _ openSlots: Set<Int>,
        _ openAlerts: Set<Int>
    ) -> [RejectedLine] {
        fates.indices.compactMap { index in
            let words: String
            switch fates[index] {
            case .rejected(let reason), .suspected(let reason): words = reason
            case .open, .accepted: return nil
            }
            let line = String(decoding: writer.bytes(of: index..<(index + 1)).dropLast(), as: UTF8.self)
            switch writer.lines[index].source {
            case .slot(let slot):
                guard !openSlots.contains(slot) else { return nil }
                return RejectedLine(at: .now, line: line, reason: words, slot: slots[slot].id, alert: nil)
            case .alert(let alert):
                guard !openAlerts.contains(alert) else { return nil }
                return RejectedLine(at: .now, line: line, reason: words, slot: nil, alert: alerts[alert].id)
            }
        }
    }
}
