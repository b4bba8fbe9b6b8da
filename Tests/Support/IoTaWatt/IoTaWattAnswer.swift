import Foundation

/// The answer to a query, row by row.
struct IoTaWattAnswer {
    let query: IoTaWattQuery
    let log: IoTaWattLog
    let now: Double

    private var model: IoTaWattModel { log.model }
    private var time: IoTaWattTime { IoTaWattTime(now: Int(now), timeZone: model.timeZone) }

    /// - Returns: the text and the number of its rows.
    func text() -> (text: String, rows: Int) {
        var rows: [String] = []
        var new = log.record(at: query.begin, now: now)
        while new.key < query.end, query.limit < 0 || rows.count < query.limit {
            let old = new
            let next = time.next(after: old.key, query.group) ?? query.end
            new = log.record(at: min(query.end, next), now: now)
            // A group of nothing ends the answer.
            guard new.key > old.key else { break }
            let isMissing = new.seconds == old.seconds
            if isMissing, query.missing == .skip { continue }
            let values = query.columns.map { value($0, old, new, isMissing: isMissing) }
            rows.append(query.isCSV ? values.joined(separator: ", ") : "[\(values.joined(separator: ","))]")
        }
        return (whole(rows, endedAt: new.key), rows.count)
    }

    private func whole(_ rows: [String], endedAt key: Int) -> String {
        let isCut = key < query.end && rows.count == query.limit
        let labels = query.columns.map(\.name)
        if query.isCSV {
            let head = query.hasHeader ? [labels.joined(separator: ", ")] : []
            return (head + rows + (isCut ? ["Limit exceeded at \(key)"] : [])).joined(separator: "\r\n")
        }
        let data = "[\(rows.joined(separator: ","))]"
        guard query.hasHeader else { return data }
        let names = labels.map { "\"\($0)\"" }.joined(separator: ",")
        let limit = isCut ? ",\"limit\":\(key)" : ""
        return "{\"range\":[\(query.begin),\(query.end)],\"labels\":[\(names)],\r\n\"data\":\(data)\(limit)}"
    }

    private func value(
        _ column: IoTaWattQuery.Column, _ old: IoTaWattLog.Record, _ new: IoTaWattLog.Record, isMissing: Bool
    ) -> String {
        if case .time = column.source {
            let instant = column.isLocal ? time.local(old.key) : old.key
            guard !column.isUnix else { return "\(instant)" }
            let text = Self.iso(instant)
            return query.isCSV ? text : "\"\(text)\""
        }
        guard !isMissing else { return query.missing == .zero ? "0" : "null" }
        return print(number(column, old, new), decimals: column.decimals)
    }

    private static func iso(_ instant: Int) -> String {
        let date = Date(timeIntervalSince1970: Double(instant))
        return String(date.ISO8601Format().dropLast())
    }

    /// `printValue` of the firmware: no zeros at the end, and no point.
    private func print(_ value: Double, decimals: Int) -> String {
        var text = String(format: "%.\(decimals)f", value.isFinite ? value : 0)
        if decimals == 0 { text += "." }
        text = String(text.prefix(11))
        while text.last == "0" { text.removeLast() }
        if text.last == ".", !model.keepsTrailingDots { text.removeLast() }
        return text
    }

    // MARK: Numbers

    private func number(
        _ column: IoTaWattQuery.Column, _ old: IoTaWattLog.Record, _ new: IoTaWattLog.Record
    ) -> Double {
        switch column.source {
        case .time: return 0
        case .output(let output):
            return combined(column.method, old, new) { kind in
                output.terms.reduce(0) { $0 + $1.factor * operand($1.channel, kind, old, new) }
            }
        case .input(let input):
            return combined(column.method, old, new) { kind in operand(input.channel, kind, old, new) }
        }
    }

    /// What a script fetches of an input: its first sum, its reactive part, its amperes, the frequency of its voltage.
    private enum Operand {
        case first, reactive, amperes, hertz
    }

    private func combined(
        _ method: IoTaWattQuery.Method, _ old: IoTaWattLog.Record, _ new: IoTaWattLog.Record,
        _ run: (Operand) -> Double
    ) -> Double {
        let hours = Double(new.seconds - old.seconds) / 3600
        let first = run(.first)
        let reactive = run(.reactive)
        let apparent = (first * first + reactive * reactive).squareRoot()
        let result: Double =
            switch method {
            case .volts, .watts: first
            case .wh: first * hours
            case .va: apparent
            case .var: reactive
            case .varh: reactive * hours
            case .pf: first / apparent
            case .amps: run(.amperes)
            case .hz: run(.hertz)
            }
        return result.isNaN ? 0 : result
    }

    private func operand(
        _ number: Int, _ operand: Operand, _ old: IoTaWattLog.Record, _ new: IoTaWattLog.Record
    ) -> Double {
        let hours = Double(new.seconds - old.seconds) / 3600
        let first = log.first(number, from: old, to: new) / hours
        let second = log.second(number, from: old, to: new) / hours
        var voltage = number
        if let input = model.inputs.first(where: { $0.channel == number }), case .power(_, _, let own) = input.kind {
            voltage = own
        }
        switch operand {
        case .first: return first
        case .reactive: return max(0, second * second - first * first).squareRoot()
        case .amperes:
            let volts = log.first(voltage, from: old, to: new) / hours
            return volts == 0 ? 0 : second / volts
        case .hertz: return log.second(voltage, from: old, to: new) / hours
        }
    }
}
