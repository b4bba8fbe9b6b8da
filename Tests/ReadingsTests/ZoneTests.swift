import Foundation
import Readings
import TestSupport
import Testing

@Suite struct ZoneTests {
    static let names = [
        "Europe/Berlin", "Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
        "Africa/Casablanca", "Asia/Kolkata", "America/Santiago", "UTC",
    ]

    @Test(arguments: names) func `local times are those of the system's own library`(name: String) throws {
        let zone = try load(name)
        var random = SeededRandom(seed: 42)
        var instants = (0..<400).map { _ in Int64.random(in: 0...4_000_000_000, using: &random) }
        // Around every change of the offset there is.
        var seconds: Int64 = 946_684_800
        while seconds < 2_600_000_000 {
            let next = seconds + 6 * 3600
            if zone.offset(at: Instant(seconds: seconds)) != zone.offset(at: Instant(seconds: next)) {
                instants += (0...24).flatMap { [seconds + $0 * 900 - 1, seconds + $0 * 900] }
            }
            seconds = next
        }
        let expected = try glibc(name, instants)
        let actual = instants.map { seconds -> String in
            let local = zone.localTime(at: Instant(seconds: seconds))
            return zone.dateString(at: Instant(seconds: seconds))
                + String(
                    format: " %02d:%02d:%02d", local.hour, local.minute, local.second)
        }
        #expect(actual == expected)
    }

    @Test func `a day in spring has 23 hours, one in autumn 25`() throws {
        let zone = try load("Europe/Berlin")
        #expect(try hours(zone, "2026-03-29") == 23)
        #expect(try hours(zone, "2026-10-25") == 25)
        #expect(try hours(zone, "2026-06-01") == 24)
        #expect(try hours(load("Australia/Lord_Howe"), "2026-04-05") == 24.5)
    }

    @Test func `where the clock skips midnight the day begins at one`() throws {
        let zone = try load("Africa/Cairo")
        let start = zone.startOfDay(containing: Instant(seconds: 1_777_032_000))  // 2026-04-24T12:00Z
        #expect(zone.dateString(at: start) == "2026-04-24")
        #expect(zone.localTime(at: start).hour == 1)
        #expect(zone.dateString(at: start - Duration.second) == "2026-04-23")
    }

    @Test func `three o'clock at night is missing in spring and doubled in autumn`() throws {
        let zone = try load("Europe/Helsinki")
        let spring = zone.spans(ofHour: 3, onDayOf: try noon("2026-03-29"))
        #expect(spring.isEmpty)
        let autumn = zone.spans(ofHour: 3, onDayOf: try noon("2026-10-25"))
        #expect(autumn.reduce(0) { $0 + ($1.end - $1.start) } == 2 * Duration.hour)
        let usual = zone.spans(ofHour: 3, onDayOf: try noon("2026-06-01"))
        #expect(usual.count == 1 && usual[0].end - usual[0].start == Duration.hour)
    }

    @Test func `a file that is cut off or no zone is refused`() throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/Europe/Berlin")))
        for length in stride(from: 0, to: bytes.count - 20, by: 7) {
            #expect(Zone(name: "x", file: Array(bytes[..<length])) == nil)
        }
        #expect(Zone(name: "x", file: Array("hello, this is not a zone file at all, really".utf8)) == nil)
    }

    private func load(_ name: String) throws -> Zone {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/\(name)")))
        return try #require(Zone(name: name, file: bytes))
    }

    private func noon(_ date: String) throws -> Instant {
        let parts = date.split(separator: "-").compactMap { Int($0) }
        try #require(parts.count == 3)
        return Instant(seconds: LocalTime.days(year: parts[0], month: parts[1], day: parts[2]) * 86400 + 43200)
    }

    private func hours(_ zone: Zone, _ date: String) throws -> Double {
        let noon = try noon(date)
        let length = zone.nextDayStart(after: noon) - zone.startOfDay(containing: noon)
        return Double(length) / Double(Duration.hour)
    }

    private func glibc(_ zone: String, _ instants: [Int64]) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/date")
        process.arguments = ["-f", "-", "+%Y-%m-%d %H:%M:%S"]
        process.environment = ["TZ": zone]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let text = instants.map { "@\($0)\n" }.joined()
        Foundation.Thread.detachNewThread {
            input.fileHandleForWriting.write(Data(text.utf8))
            try? input.fileHandleForWriting.close()
        }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
