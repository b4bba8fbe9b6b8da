import API
import Foundation
import Readings
import TestSupport
import Testing

@Suite(.serialized) struct HistoryRouteTests {
    private typealias Question = HistoryReport.Question

    private static func asked(_ query: String, zone: Zone = .utc) throws -> HistoryReport.Question {
        let house = FakeHouse(zone: zone)
        let answer = try RunningServer(house).get("/api/v1/history\(query)")
        #expect(answer.status == 200, "\(answer.body)")
        return try #require(house.seen.asked.last)
    }

    @Test func `without a question it is the total of the last week by hours`() throws {
        let question = try Self.asked("")
        #expect(question.selections == [.total] && question.resolution == .hour && question.instance == nil)
        #expect(question.to == FakeHouse.noon && question.from == FakeHouse.noon - 7 * Duration.day)
    }

    @Test(arguments: [
        ("raw", Duration.day), ("15m", Duration.day), ("1h", 7 * Duration.day),
        ("1d", 30 * Duration.day + 43_590 * Duration.second),
    ])
    func `each resolution has a usual length`(resolution: String, length: Int64) throws {
        let question = try Self.asked("?resolution=\(resolution)")
        #expect(question.resolution.rawValue == resolution && question.to - question.from == length)
    }

    @Test func `a year of months begins with a month of the house`() throws {
        let berlin = try Zone(named: "Europe/Berlin")
        let question = try Self.asked("?resolution=1mo", zone: berlin)
        #expect(question.from == berlin.start(of: CalendarDate(year: 2025, month: 11, day: 1)))
    }

    @Test func `circuits are taken in their order, none twice, words for what they mean`() throws {
        let question = try Self.asked(
            "?circuit=b&circuit=*&circuit=total&circuit=unmonitored&circuit=b&circuit=%2F..&instance=x%40y")
        #expect(question.selections == [.circuit("b"), .all, .total, .unmonitored, .circuit("/..")])
        #expect(question.instance == "x@y")
    }

    @Test(arguments: [
        "resolution=2h", "resolution=", "from=x", "to=2026-02-30", "from=2026-06-02&to=2026-06-01", "format=xml",
        "from=2026-06-01&to=2026-06-01", "resolution=1h&resolution=1h", "instance=a&instance=b",
        (0..<201).map { "circuit=\($0)" }.joined(separator: "&"),
    ])
    func `a question that makes no sense is told what is allowed`(query: String) throws {
        let house = FakeHouse()
        let answer = try RunningServer(house).get("/api/v1/history?\(query)")
        #expect(answer.status == 400 && answer.headers["content-type"] == "application/problem+json")
        #expect((answer.json["detail"] as? String)?.isEmpty == false)
        #expect(house.seen.asked.isEmpty)
    }

    @Test(arguments: [
        ("", "*/*", "application/json"), ("", "text/csv", "text/csv"), ("", "text/csv;q=0.9, */*;q=0.1", "text/csv"),
        ("", "application/json, text/csv", "application/json"), ("", "TEXT/CSV ; header=present", "text/csv"),
        ("?format=csv", "application/json", "text/csv"), ("?format=json", "text/csv", "application/json"),
        ("", "garbage;;,,", "application/json"),
    ])
    func `the format is as asked, else as accepted, else JSON`(query: String, accept: String, type: String) throws {
        let headers = "Host: localhost\r\nAccept: \(accept)\r\n"
        let answer = try RunningServer(FakeHouse()).get("/api/v1/history\(query)", headers: headers)
        #expect(answer.headers["content-type"]?.hasPrefix(type) == true)
        guard type == "text/csv" else { return }
        #expect(answer.headers["content-disposition"]?.hasPrefix("attachment") == true)
        let lines = answer.body.components(separatedBy: "\r\n")
        #expect(lines.count == 5 && lines[4].isEmpty)
        #expect(lines[1] == "2026-11-23T12:06:30.000Z,2026-11-23T13:06:30.000Z,total,Total,0,0.5,,,,,1.0,measured")
    }

    @Test func `cells of CSV are quoted where they have to be, and are no formulas`() throws {
        let ids = ["=1+1", "@x", "-a", "+b", "\tc", "a,b", "say \"hi\"", "line\nend", "plain"]
        let query = ids.map { "circuit=\(HTTP.escaped($0))" }.joined(separator: "&")
        let body = try RunningServer(FakeHouse()).get("/api/v1/history?format=csv&\(query)").body
        for cell in ["'=1+1", "'@x", "'-a", "'+b", "'\tc", "\"a,b\"", "\"say \"\"hi\"\"\"", "\"line\nend\"", "plain"] {
            #expect(body.contains("Z,\(cell),\(cell),1,0.5,"), "\(cell)")
        }
    }
}
