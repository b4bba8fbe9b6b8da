import AdapterKit

/// A stretch of the device's log, asked for in groups of the same length. Times are seconds since the epoch, of the
/// device's clock.
struct LogQuery: Hashable, Sendable {
    /// Names and units as the query writes them, such as `main_1.watts`.
    var columns: [String]
    var begin: Int
    var end: Int
    var group: Int

    var rowCount: Int { max(0, (end - begin + group - 1) / group) }

    /// Path and query. Times are absolute: relative ones are local, and ambiguous for an hour each autumn.
    var target: String {
        let select = (["time.utc.unix"] + columns).map(Self.escaped).joined(separator: ",")
        return "/query?select=%5B\(select)%5D&begin=\(begin)&end=\(end)&group=\(group)s&format=json&header=yes"
            + "&missing=null&limit=\(max(1, rowCount))"
    }

    /// Percent-encoded, but for what a query may hold as it is.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "~"):
                escaped.append(Character(Unicode.Scalar(byte)))
            default:
                let digits = Array("0123456789ABCDEF")
                escaped += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return escaped
    }
}

/// What the device answered to a `LogQuery`.
struct LogRows: Sendable {
    struct Row: Sendable {
        /// It describes (start, start + group].
        var start: Int
        /// A value a column; nil = not in the log, or no number.
        var values: [Double?]

        var isMeasured: Bool { values.contains { $0 != nil } }
    }

    var rows: [Row] = []
    /// Up to here the device has answered: before the query's end where the answer was cut.
    var answeredTo: Int
    /// What made no sense, for a person; each once.
    private(set) var problems: [String] = []

    /// Nil where it is no answer to a query.
    init?(_ json: JSON, isWhole: Bool, to query: LogQuery) {
        guard let lines = json["data"]?.list ?? json.list else { return nil }
        answeredTo = query.end
        var next = query.begin
        var dropped = 0
        for (index, line) in lines.enumerated() {
            guard let row = row(line, query, notBefore: next) else {
                // The last line of what was cut off is expected to be broken.
                if isWhole || index < lines.count - 1 { dropped += 1 }
                continue
            }
            next = row.start + query.group
            rows.append(row)
        }
        if dropped > 0 { note("\(dropped) of \(lines.count) rows make no sense") }
        if !isWhole {
            note("the answer is cut off after \(rows.count) of \(query.rowCount) rows")
            answeredTo = min(query.end, next)
        }
        if let limit = json["limit"]?.looseInteger, limit < query.end {
            answeredTo = max(query.begin, min(answeredTo, limit))
        }
    }

    private mutating func row(_ line: JSON, _ query: LogQuery, notBefore earliest: Int) -> Row? {
        guard let cells = line.list, let start = cells.first?.looseInteger, start >= earliest, start < query.end,
            (start - query.begin).isMultiple(of: query.group)
        else { return nil }
        guard cells.count > query.columns.count else {
            note("a row has \(cells.count - 1) of \(query.columns.count) values")
            return nil
        }
        var values: [Double?] = []
        values.reserveCapacity(query.columns.count)
        for (index, cell) in cells[1...query.columns.count].enumerated() {
            let value = cell.looseNumber
            if value == nil, cell != .null { note("\(query.columns[index]) has a value that is no number") }
            values.append(value)
        }
        return Row(start: start, values: values)
    }

    private mutating func note(_ problem: String) {
        if problems.count < 20, !problems.contains(problem) { problems.append(problem) }
    }
}

extension LogRows {
    /// Those of (begin, end].
    func between(_ begin: Int, _ end: Int) -> ArraySlice<Row> {
        let first = rows.firstIndex { $0.start >= begin } ?? rows.endIndex
        let last = rows[first...].firstIndex { $0.start >= end } ?? rows.endIndex
        return rows[first..<last]
    }
}
