import Foundation
import Readings
import Testing

private let zones = [
    "Europe/Berlin", "Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
    "Africa/Casablanca", "Asia/Kolkata", "UTC", "Europe/Dublin", "Pacific/Apia", "America/Nuuk",
]

/// What glibc says, asked in a child: zone files, and local times of many seconds by one `date` call.
private func glibcOffsets(_ zone: String, _ seconds: [Int64]) throws -> [Int] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/date")
    process.arguments = ["-f", "-", "+%z"]
    process.environment = ["TZ": zone, "LC_ALL": "C"]
    let input = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try seconds.map { "@\($0)\n" }.joined().write(to: input, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: input) }
    process.standardInput = try FileHandle(forReadingFrom: input)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: "\n").map { line in
        let number = Int(line) ?? .max
        return (number / 100) * 3600 + (number % 100) * 60
    }
}

/// Seconds since the epoch of an RFC 3339 time.
private func instant(_ text: String) throws -> Instant {
    let date = try #require(ISO8601DateFormatter().date(from: text), "\(text)")
    return Instant(seconds: Int64(date.timeIntervalSince1970))
}

private func day(_ year: Int, _ month: Int, _ day: Int) -> CalendarDate {
    CalendarDate(year: year, month: month, day: day)
}

@Suite struct ZoneTests {
    @Test(arguments: zones) func `agrees with glibc at random instants and around every change`(_ name: String) throws {
        let zone = try Zone(named: name)
        var seconds = (0..<2000).map { _ in Int64.random(in: 0...4_102_444_800) }
        // Where the offset changes from one day to the next, the second of the change is searched for.
        var before = zone.offset(at: Instant(seconds: 0))
        for day in Int64(1)...Int64(47_480) {
            let after = zone.offset(at: Instant(seconds: day * 86_400))
            if after != before {
                var (low, high) = ((day - 1) * 86_400, day * 86_400)
                while high - low > 1 {
                    let middle = (low + high) / 2
                    if zone.offset(at: Instant(seconds: middle)) == before { low = middle } else { high = middle }
                }
                seconds += [high - 1, high, high + 1]
            }
            before = after
        }
        let expected = try glibcOffsets(name, seconds)
        try #require(expected.count == seconds.count)
        // `%z` has no seconds; the zones have none since 1970 but Monrovia's.
        for (second, offset) in zip(seconds, expected) {
            #expect(zone.offset(at: Instant(seconds: second)) == offset, "\(name) at @\(second)")
        }
    }

    @Test func `a day in Cairo that has no midnight begins at one`() throws {
        let zone = try Zone(named: "Africa/Cairo")
        let start = try instant("2024-04-25T22:00:00Z")
        #expect(zone.startOfDay(containing: start + Duration.hour * 5) == start)
        #expect(zone.localTime(at: start).hour == 1)
        #expect(zone.nextDayStart(after: start - 1) == start)
        #expect(zone.nextDayStart(after: start) == start + 23 * Duration.hour)
    }

    @Test(arguments: zones) func `days follow each other without gap or overlap`(_ name: String) throws {
        let zone = try Zone(named: name)
        var start = zone.start(of: day(2023, 1, 1))
        while start.seconds < 2_240_000_000 {
            let next = zone.nextDayStart(after: start)
            try #require(next > start)
            #expect(zone.startOfDay(containing: next - 1) == start)
            #expect(zone.startOfDay(containing: next) == next)
            #expect(zone.localDate(at: next - 1) < zone.localDate(at: next))
            start = next
        }
    }

    @Test(arguments: zones) func `hours follow each other without gap or overlap`(_ name: String) throws {
        let zone = try Zone(named: name)
        var start = zone.startOfHour(containing: zone.start(of: day(2024, 1, 1)))
        while start.seconds < 1_735_700_000 {
            let next = zone.nextHourStart(after: start)
            try #require(next > start && next - start <= Duration.hour)
            #expect(zone.startOfHour(containing: next - 1) == start)
            #expect(zone.startOfHour(containing: next) == next)
            start = next
        }
    }

    @Test(arguments: [
        ("Europe/Berlin", day(2024, 6, 1), ["2024-06-01T01:00:00Z/2024-06-01T02:00:00Z"]),
        // 03:00 is left out in Helsinki in spring, and comes twice in autumn.
        ("Europe/Helsinki", day(2024, 3, 31), []),
        ("Europe/Helsinki", day(2024, 10, 27), ["2024-10-27T00:00:00Z/2024-10-27T02:00:00Z"]),
        ("Europe/Berlin", day(2024, 3, 31), ["2024-03-31T01:00:00Z/2024-03-31T02:00:00Z"]),
        ("Asia/Kolkata", day(2024, 1, 1), ["2023-12-31T21:30:00Z/2023-12-31T22:30:00Z"]),
        // Beyond what zone files tabulate.
        ("Europe/Helsinki", day(2045, 3, 26), []),
    ])
    func `three to four at night is found on any date`(_ name: String, _ date: CalendarDate, _ spans: [String]) throws {
        let expected = try spans.map { text in
            let ends = try text.split(separator: "/").map { try instant(String($0)) }
            return ends[0]..<ends[1]
        }
        #expect(try Zone(named: name).spans(on: date, from: 3 * 3600, to: 4 * 3600) == expected)
    }

    @Test func `half an hour is doubled on Lord Howe`() throws {
        let zone = try Zone(named: "Australia/Lord_Howe")
        let spans = zone.spans(on: day(2024, 4, 7), from: 3600, to: 7200)
        #expect(spans.map { $0.upperBound - $0.lowerBound } == [90 * Duration.minute])
    }

    @Test func `a month begins at its first local midnight`() throws {
        let zone = try Zone(named: "America/New_York")
        let inside = try instant("2024-03-20T12:00:00Z")
        #expect(zone.startOfMonth(containing: inside) == (try instant("2024-03-01T05:00:00Z")))
        #expect(zone.nextMonthStart(after: inside) == (try instant("2024-04-01T04:00:00Z")))
    }

    @Test(arguments: ["Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "Europe//Berlin", "Europe", "tzdata.zi", ""])
    func `what is no zone is refused`(_ name: String) {
        #expect(throws: ZoneError.self) { try Zone(named: name) }
    }

    @Test func `without TZ the link of localtime names the zone, and without both UTC is a guess`() throws {
        let link = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        #expect(try Zone.system(tz: nil, localtime: link).isGuess)
        try FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: "/usr/share/zoneinfo/Europe/Berlin")
        defer { try? FileManager.default.removeItem(atPath: link) }
        let system = try Zone.system(tz: "", localtime: link)
        #expect(system.zone.name == "Europe/Berlin" && !system.isGuess)
        #expect(try Zone.system(tz: ":Asia/Kolkata", localtime: link).zone.name == "Asia/Kolkata")
    }

    @Test func `a cut or garbled zone file is refused or read, and never traps`() throws {
        let whole = Array(try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/Europe/Berlin")))
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appendingPathComponent("Zone")
        for length in stride(from: 0, to: whole.count - 1, by: 37) {
            try Data(whole[..<length]).write(to: file)
            #expect(throws: ZoneError.self) { try Zone(named: "Zone", directory: directory.path) }
        }
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<8 { bytes[Int.random(in: 0..<bytes.count)] = .random(in: 0...255) }
            try Data(bytes).write(to: file)
            guard let zone = try? Zone(named: "Zone", directory: directory.path) else { continue }
            _ = zone.nextDayStart(after: Instant(seconds: .random(in: -9_000_000_000...9_000_000_000)))
        }
    }
}
