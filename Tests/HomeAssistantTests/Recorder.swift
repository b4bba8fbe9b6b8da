import AdapterABI
import FakeHost
import Foundation
import Synchronization

/// A Home Assistant whose recorder has these states: seconds before `now`, and what the sensor was from then on.
final class Recorder: Sendable {
    typealias States = [(age: Double, state: String)]
    private static let second: Int64 = 1_000_000_000
    /// A multiple of 300 s, nanoseconds.
    static let now: Int64 = 1_767_225_600 * second

    private let states: [String: States]
    private let clockAhead: Double
    private let rows: [String]
    private let asked = Mutex<[String]>([])
    private let override = Mutex<FakeAnswer?>(nil)

    var targets: [String] { asked.withLock { $0 } }

    /// - Parameter units: of the sensors; those without are circuits of W.
    init(_ states: [String: States], units: [String: String] = [:], clockAhead: Double = 0) {
        self.states = states
        self.clockAhead = clockAhead
        rows = states.keys.sorted().map { entity in
            let unit = units[entity] ?? "W"
            return #"["\#(entity)", "1", "\#(entity)", "\#(unit)", "power", \#(Double(Self.now / Self.second) - 1)]"#
        }
    }

    /// - Parameter answer: to every question from now on; nil = what the recorder has.
    func answerHistory(_ answer: FakeAnswer?) { override.withLock { $0 = answer } }

    func answer(_ request: FakeRequest) -> FakeAnswer {
        guard request.url.contains("/api/history/period/") else {
            // 20 s later, as the host's clock shows at the start.
            let lines = ["\(Double(Self.now / Self.second) + 20 + clockAhead)"] + rows
            return .answer(status: 200, contentType: "text/plain", body: lines.joined(separator: "\n"))
        }
        asked.withLock { $0.append(request.url) }
        if let answer = override.withLock({ $0 }) { return answer }
        return .answer(status: 200, body: history(request.url))
    }

    /// As Home Assistant: the state at the beginning is stamped with the beginning, what follows is short.
    private func history(_ url: String) -> String {
        let parts = URLComponents(string: url)
        func item(_ name: String) -> String { parts?.queryItems?.first { $0.name == name }?.value ?? "" }
        let begin = age(parts?.path.components(separatedBy: "/").last ?? "")
        let end = age(item("end_time"))
        let lists = item("filter_entity_id").split(separator: ",").compactMap { entity -> String? in
            let all = (states[String(entity)] ?? []).sorted { $0.age > $1.age }
            let before = all.last { $0.age >= begin }.map { (age: begin, state: $0.state) }
            let found = [before].compactMap { $0 } + all.filter { $0.age < begin && $0.age > end }
            guard !found.isEmpty else { return nil }
            let rows = found.enumerated().map { index, row in
                let id = index == 0 ? #""entity_id":"\#(entity)","attributes":{},"# : ""
                return #"{\#(id)"state":"\#(row.state)","last_changed":"\#(iso(row.age))"}"#
            }
            return "[\(rows.joined(separator: ","))]"
        }
        return "[\(lists.joined(separator: ","))]"
    }

    private func age(_ text: String) -> Double {
        let date = try? Date(text, strategy: .iso8601)
        return Double(Self.now / Self.second) + clockAhead - (date?.timeIntervalSince1970 ?? 0)
    }

    private func iso(_ age: Double) -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let text = formatter.string(
            from: Date(timeIntervalSince1970: Double(Self.now / Self.second) + clockAhead - age))
        return text.replacingOccurrences(of: "Z", with: "000+00:00")
    }
}
