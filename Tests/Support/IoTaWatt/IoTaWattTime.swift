import Foundation

/// Times as the device's queries write them (`parseTimeArg` of the firmware).
struct IoTaWattTime {
    let now: Int
    private let calendar: Calendar

    init(now: Int, timeZone: TimeZone?) {
        self.now = now
        var calendar = Calendar(identifier: .gregorian)
        if let timeZone { calendar.timeZone = timeZone }
        self.calendar = calendar
    }

    /// Nil for what the device does not understand.
    func parse(_ text: String) -> Int? {
        if text.allSatisfy(\.isNumber), text.count == 10 || text.count == 13 { return Int(text.prefix(10)) }
        if let first = text.first, first.isNumber { return date(text) }
        return relative(text)
    }

    /// YYYY[-MM[-DD[Thh[:mm[:ss]]]]], with Z for UTC.
    private func date(_ text: String) -> Int? {
        let isUTC = text.hasSuffix("Z")
        let parts = text.split { "-T:Z".contains($0) }.map { Int($0) }
        guard let year = parts.first ?? nil, (2000...2099).contains(year), parts.count <= 6, !parts.contains(nil)
        else { return nil }
        func part(_ index: Int, _ other: Int) -> Int { index < parts.count ? (parts[index] ?? other) : other }
        var components = DateComponents()
        components.year = year
        components.month = part(1, 1)
        components.day = part(2, 1)
        components.hour = part(3, 0)
        components.minute = part(4, 0)
        components.second = part(5, 0)
        if isUTC { components.timeZone = TimeZone(secondsFromGMT: 0) }
        return calendar.date(from: components).map { Int($0.timeIntervalSince1970) }
    }

    /// A base and what is added to it: d, s-1m, d-1d+6h.
    private func relative(_ text: String) -> Int? {
        var rest = Substring(text)
        guard let base = rest.popFirst(), var date = start(base) else { return nil }
        while let sign = rest.popFirst() {
            let digits = rest.prefix(while: \.isNumber)
            rest = rest.dropFirst(digits.count)
            guard sign == "-" || sign == "+", let number = Int(digits), number > 0, let unit = rest.popFirst(),
                let component = Self.component(unit)
            else { return nil }
            let count = (sign == "-" ? -number : number) * (unit == "w" ? 7 : 1)
            let value = unit == "s" ? count - count % 5 : count
            guard let moved = calendar.date(byAdding: component, value: value, to: date) else { return nil }
            date = moved
        }
        return Int(date.timeIntervalSince1970)
    }

    private func start(_ base: Character) -> Date? {
        let date = Date(timeIntervalSince1970: Double(now))
        switch base {
        case "s": return Date(timeIntervalSince1970: Double(now / 5 * 5))
        case "m": return calendar.dateInterval(of: .minute, for: date)?.start
        case "h": return calendar.dateInterval(of: .hour, for: date)?.start
        case "d": return calendar.startOfDay(for: date)
        case "w":
            let weekday = calendar.component(.weekday, from: date)
            return calendar.date(byAdding: .day, value: 1 - weekday, to: calendar.startOfDay(for: date))
        case "M": return calendar.dateInterval(of: .month, for: date)?.start
        case "y": return calendar.dateInterval(of: .year, for: date)?.start
        default: return nil
        }
    }

    private static func component(_ unit: Character) -> Calendar.Component? {
        switch unit {
        case "y": .year
        case "M": .month
        case "w", "d": .day
        case "h": .hour
        case "m": .minute
        case "s": .second
        default: nil
        }
    }

    /// The end of the group that begins at `start`.
    func next(after start: Int, _ group: IoTaWattQuery.Group) -> Int? {
        let date = Date(timeIntervalSince1970: Double(start))
        switch group {
        case .seconds(let count): return start + count
        case .minutes(let count): return start + 60 * count - start % 60
        case .hours(let count): return start + 3600 * count - start % 3600
        case .days(let count): return moved(calendar.startOfDay(for: date), .day, count)
        case .weeks(let count):
            let weekday = calendar.component(.weekday, from: date)
            return moved(calendar.startOfDay(for: date), .day, 7 * count - (weekday - 1))
        case .months(let count): return moved(calendar.dateInterval(of: .month, for: date)?.start, .month, count)
        case .years(let count): return moved(calendar.dateInterval(of: .year, for: date)?.start, .year, count)
        }
    }

    private func moved(_ date: Date?, _ component: Calendar.Component, _ count: Int) -> Int? {
        date.flatMap { calendar.date(byAdding: component, value: count, to: $0) }.map { Int($0.timeIntervalSince1970) }
    }

    /// Local time as the device writes it.
    func local(_ instant: Int) -> Int {
        instant + calendar.timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
    }
}
