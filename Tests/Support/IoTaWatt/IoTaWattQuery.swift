import Foundation

/// `/query?select=…` as the device takes it apart (`CSVquery::setup` of the firmware).
struct IoTaWattQuery {
    enum Group {
        case seconds(Int)
        case minutes(Int)
        case hours(Int)
        case days(Int)
        case weeks(Int)
        case months(Int)
        case years(Int)
    }

    enum Missing {
        case null
        case skip
        case zero
    }

    enum Method: String {
        case volts, watts, wh, amps, va, hz, pf, `var`, varh
    }

    enum Source {
        case time
        case input(IoTaWattModel.Input)
        case output(IoTaWattModel.Output)
    }

    struct Column {
        var name: String
        var source: Source
        var method = Method.watts
        var decimals = 1
        var isLocal = true
        var isUnix = false
    }

    struct Refusal: Error {
        let reason: String
    }

    let begin: Int
    let end: Int
    let group: Group
    var missing = Missing.null
    var hasHeader = false
    var isCSV = false
    /// Negative: none.
    var limit = 1000
    var columns: [Column] = []

    /// - Parameter query: values, unescaped.
    init(_ query: [String: String], model: IoTaWattModel, now: Int) throws(Refusal) {
        guard let begin = query["begin"], let end = query["end"], let group = query["group"] else {
            throw Refusal(reason: "Missing begin, end or group.")
        }
        let time = IoTaWattTime(now: now, timeZone: model.timeZone)
        guard let from = time.parse(begin), let to = time.parse(end) else { throw Refusal(reason: "unspecified") }
        self.begin = (from + 4) / 5 * 5
        self.end = to / 5 * 5
        guard self.end >= self.begin else { throw Refusal(reason: "unspecified") }
        let isHigh = query["resolution"]?.lowercased() == "high"
        if let resolution = query["resolution"]?.lowercased(), resolution != "low", resolution != "high" {
            throw Refusal(reason: "Invalid resolution")
        }
        self.group = try Self.group(group, span: self.end - self.begin, isHigh: isHigh)
        try takeForm(query)
        guard let select = query["select"], select.hasPrefix("["), select.hasSuffix("]") else {
            throw Refusal(reason: "select not an array []")
        }
        for element in select.dropFirst().dropLast().split(separator: ",") {
            columns.append(try Self.column(element.split(separator: ".").map(String.init), model))
        }
    }

    private static func group(_ text: String, span: Int, isHigh: Bool) throws(Refusal) -> Group {
        if text == "all" { return .seconds(span) }
        if text == "auto" {
            let sizes = [5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 28800]
            return .seconds(sizes.first { span / (isHigh ? 800 : 400) <= $0 } ?? 86400)
        }
        let count = max(1, Int(text.prefix(while: \.isNumber)) ?? 0)
        switch text.last {
        case "s": return .seconds(count)
        case "m": return .minutes(count)
        case "h": return .hours(count)
        case "d": return .days(count)
        case "w": return .weeks(count)
        case "M": return .months(count)
        case "y": return .years(count)
        default:
            guard count.isMultiple(of: 5) else { throw Refusal(reason: "Invalid group") }
            return .seconds(count)
        }
    }

    private mutating func takeForm(_ query: [String: String]) throws(Refusal) {
        switch query["missing"]?.lowercased() {
        case "skip": missing = .skip
        case "zero": missing = .zero
        default: break
        }
        hasHeader = query["header"]?.lowercased() == "yes"
        switch query["format"]?.lowercased() {
        case nil, "json": break
        case "csv": isCSV = true
        default: throw Refusal(reason: "Invalid format")
        }
        switch query["limit"]?.lowercased() {
        case nil: break
        case "none": limit = -1
        case .some(let text):
            limit = Int(text) ?? 0
            guard limit != 0 else { throw Refusal(reason: "Invalid limit") }
        }
    }

    private static func column(_ words: [String], _ model: IoTaWattModel) throws(Refusal) -> Column {
        let name = words.first ?? ""
        var column: Column
        if name.lowercased() == "time" {
            column = Column(name: "Time", source: .time)
        } else if let input = model.inputs.first(where: { $0.name == name }) {
            column = Column(name: name, source: .input(input))
            if case .voltage = input.kind { column.method = .volts }
        } else if let output = model.outputs.first(where: { $0.name == name }) {
            column = Column(name: name, source: .output(output))
            if output.units == "Volts" { column.method = .volts }
        } else {
            throw Refusal(reason: "Invalid series: \(name)")
        }
        for word in words.dropFirst().map({ $0.lowercased() }) { try apply(word, to: &column) }
        return column
    }

    private static func apply(_ word: String, to column: inout Column) throws(Refusal) {
        if case .time = column.source {
            switch word {
            case "local": column.isLocal = true
            case "utc": column.isLocal = false
            case "iso": column.isUnix = false
            case "unix": column.isUnix = true
            default: throw Refusal(reason: "invalid time method: \(word)")
            }
        } else if let method = Method(rawValue: word) {
            column.method = method
            column.decimals = method == .hz ? 2 : method == .wh || method == .varh ? 0 : 1
        } else if word.hasPrefix("d"), word.count == 2, let decimals = Int(word.dropFirst()) {
            column.decimals = decimals
        } else {
            throw Refusal(reason: word.hasPrefix("d") ? "unspecified" : "Invalid series method: \(word)")
        }
    }
}
