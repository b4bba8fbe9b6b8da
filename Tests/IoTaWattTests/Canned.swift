import FakeHost
import Foundation
import Synchronization
import TestSupport

/// A small device with canned answers: one voltage, two inputs, one output. Tables that were not set are as they should be.
final class Canned: Sendable {
    private let answers = Mutex<[String: String]>([:])
    private let asked = Mutex<[String]>([])

    var targets: [String] { asked.withLock { $0 } }

    static let status = """
        {"stats":{"currenttime":\(Rig.noon + 2),"version":"02_08_03"},"inputs":[{"channel":0,"Vrms":121.9,"Hz":60.01},\
        {"channel":1,"Watts":"1432","Pf":0.98},{"channel":2,"Watts":" 210","Pf":0.9}],\
        "outputs":[{"name":"extra","units":"Amps","value":1}],\
        "datalogs":[{"id":"Current","firstkey":\(Rig.noon - 86_400),"lastkey":\(Rig.noon),"interval":5},\
        {"id":"History","firstkey":\(Rig.noon - 864_000),"lastkey":\(Rig.noon),"interval":60}]}
        """
    static let series = """
        {"series":[{"name":"voltage","unit":"Volts"},{"name":"main_1","unit":"Watts"},{"name":"oven","unit":"Watts"},\
        {"name":"extra","unit":"Amps"}]}
        """

    init(status: String = status, series: String = series) {
        answers.withLock { $0 = ["status": status, "series": series] }
    }

    /// What `select` is answered with from now on: a body, or `HTTP nnn` and a body.
    func set(query: String) { answers.withLock { $0["query"] = query } }

    @Sendable func answer(_ request: FakeRequest) -> FakeAnswer {
        asked.withLock { $0.append(request.url) }
        return answers.withLock { answers in
            if request.url.contains("/status") { return Self.reply(answers["status"] ?? "") }
            if request.url.contains("show=series") { return Self.reply(answers["series"] ?? "") }
            return Self.reply(answers["query"] ?? Self.table(Self.rows(for: request.url)))
        }
    }

    private static func reply(_ text: String) -> FakeAnswer {
        guard text.hasPrefix("HTTP ") else { return .answer(status: 200, body: text) }
        let status = Int32(text.dropFirst(5).prefix(3)) ?? 0
        return .answer(status: status, body: String(text.dropFirst(8)))
    }

    static func table(_ rows: [String]) -> String {
        "{\"range\":[0,1],\"labels\":[],\"data\":[\(rows.joined(separator: ","))]}"
    }

    /// main_1, oven, va of both, volts, hz: what the adapter asks for.
    static let good = "1000.,200,1010,210,121.9,60.01"

    /// Rows of 5 s from a minute before noon on.
    static func rows(_ count: Int = 12, _ values: (Int) -> String = { _ in good }) -> [String] {
        (0..<count).map { "[\(Rig.noon - 60 + 5 * $0),\(values($0))]" }
    }

    private static func rows(for url: String) -> [String] {
        func number(_ name: String) -> Int? {
            URLComponents(string: url)?.queryItems?.first { $0.name == name }.flatMap { item in
                item.value.flatMap { Int($0.replacingOccurrences(of: "s", with: "")) }
            }
        }
        guard let begin = number("begin"), let end = number("end"), let group = number("group") else { return [] }
        return stride(from: begin, to: end, by: group).map { "[\($0),\(good)]" }
    }
}
