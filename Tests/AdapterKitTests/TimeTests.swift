import AdapterKit
import Testing

/// Times in texts.
@Suite struct TimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-24T06:21:33.575527+00:00", 1_795_501_293_575_527_000),
            ("2026-11-24T07:21:33.5+01:00", 1_795_501_293_500_000_000),
            ("2026-11-24T00:51:33-05:30", 1_795_501_293_000_000_000),
            ("2024-02-29T12:00:00.000001Z", 1_709_208_000_000_001_000),
            ("2000-03-01T00:00:00Z", 951_868_800_000_000_000), ("2026-11-24", nil), ("2026-11-24T06:21:33", nil),
            ("2026-11-24 06:21:33Z", nil), ("2026-13-24T06:21:33Z", nil), ("2026-11-24T06:21:33ZZ", nil), ("", nil),
            ("9999-11-24T06:21:33Z", nil), ("2026-11-24T06:21:33+0100", nil), ("２026-11-24T06:21:33Z", nil),
        ] as [(String, Int64?)])
    func `a time is read to the microsecond`(text: String, nanoseconds: Int64?) {
        #expect(ISOTime.nanoseconds(text) == nanoseconds)
    }

    @Test func `a time is written as it is read`() {
        for seconds in stride(from: Int64(0), to: 4_000_000_000, by: 86_400 * 37 + 12_345) {
            let instant = seconds * 1_000_000_000
            #expect(ISOTime.nanoseconds(ISOTime.text(instant)) == instant)
        }
    }

    @Test(
        arguments: [
            (0, 1970, 1, 1, 4, "00:00:00"), (1_767_596_889, 2026, 1, 5, 1, "07:08:09"),
            (951_782_400, 2000, 2, 29, 2, "00:00:00"), (4_107_542_399, 2100, 2, 28, 0, "23:59:59"),
            (4_107_542_400, 2100, 3, 1, 1, "00:00:00"), (-1, 1969, 12, 31, 3, "23:59:59"),
        ] as [(Int64, Int, Int, Int, Int, String)])
    func `an instant is shown by the calendar in UTC`(
        seconds: Int64, year: Int, month: Int, day: Int, weekday: Int, clock: String
    ) {
        let time = UTCTime(nanoseconds: seconds * 1_000_000_000 + (seconds < 0 ? 0 : 999_999_999))
        #expect(time.year == year && time.month == month && time.day == day)
        #expect(time.weekday == weekday && time.clock == clock)
    }
}
