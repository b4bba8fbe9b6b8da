import Readings

/// `[days ]HH:MM-HH:MM=price`, comma-separated.
extension Tariff.Band {
    static let grammar =
        "[days ]HH:MM-HH:MM=price, comma-separated; days is a weekday or a range, such as Sat or Mon-Fri; "
        + "times are quarter hours of the local clock, and the first band that fits counts"

    static let store: HostSetting.Store = { settings, value in
        var bands: [Tariff.Band] = []
        for element in HostSetting.elements(value) {
            guard let band = parse(element) else { return false }
            bands.append(band)
        }
        settings.tariff.bands = bands
        return true
    }

    /// As `CalendarDate.weekday` counts them.
    private static let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    private static func parse(_ text: String) -> Tariff.Band? {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let price = Double(HostSetting.trimmed(sides[1])), abs(price) <= 1000 else {
            return nil
        }
        let words = sides[0].split(separator: " ")
        guard let times = words.last, words.count <= 2, let days = weekdays(words.count == 2 ? words[0] : nil) else {
            return nil
        }
        let ends = times.split(separator: "-", omittingEmptySubsequences: false).map(quarter)
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < 96, start != end else { return nil }
        return Tariff.Band(weekdays: days, start: start, end: end, perKWh: price)
    }

    /// One bit a day; every day where nothing is said.
    private static func weekdays(_ text: Substring?) -> UInt8? {
        guard let text else { return 0b111_1111 }
        let ends = text.lowercased().split(separator: "-", omittingEmptySubsequences: false)
            .map { name in names.firstIndex { $0 == name } }
        guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2 else { return nil }
        var days: UInt8 = 1 << UInt8(first)
        var day = first
        while day != last {
            day = (day + 1) % 7
            days |= 1 << UInt8(day)
        }
        return days
    }

    private static func isNumber(_ text: Substring) -> Bool {
        (1...2).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Quarter hours after midnight, 24:00 included.
    private static func quarter(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ isNumber($0) }), let hour = UInt(parts[0]),
            let minute = UInt(parts[1]), minute < 60, minute % 15 == 0,
            hour < 24 || (hour == 24 && minute == 0)
        else { return nil }
        return Int(hour * 4 + minute / 15)
    }
}
