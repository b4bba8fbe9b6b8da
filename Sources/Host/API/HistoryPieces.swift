import Observability
import Platform
import Readings

/// Writes a history in a format, front to back.
protocol HistoryFormat {
    mutating func begin(_ report: HistoryReport)
    mutating func add(_ period: HistoryReport.Period)
    mutating func end()
    /// What was written since the last time.
    mutating func takeBytes() -> [UInt8]
    var count: Int { get }
}

/// A history as a body that is made while it is read.
struct HistoryPieces<Format: HistoryFormat>: PieceSource {
    private var source: any HistorySource
    private var format: Format
    private var hasBegun = false

    private static var pieceBytes: Int { 64 * 1024 }
    private static var turn: Int64 { 100 * Duration.millisecond }

    init(_ source: any HistorySource, _ format: Format) {
        self.source = source
        self.format = format
    }

    mutating func next() throws(Problem) -> Piece {
        if !hasBegun {
            format.begin(source.report)
            hasBegun = true
        }
        let isLast = try !source.read(until: Clock.monotonic() + Self.turn) { period in
            format.add(period)
            return format.count < Self.pieceBytes
        }
        if isLast { format.end() }
        return Piece(format.takeBytes(), isLast: isLast)
    }
}

struct HistoryJSON: HistoryFormat {
    private var json = JSONWriter(reserving: 80 * 1024)

    var count: Int { json.bytes.count }

    mutating func begin(_ report: HistoryReport) {
        json.beginObject()
        HistoryReport.header.writeFields(of: report, to: &json)
        json.key("periods")
        json.beginArray()
    }

    mutating func add(_ period: HistoryReport.Period) { HistoryReport.Period.shape.write(period, to: &json) }

    mutating func end() {
        json.endArray()
        json.endObject()
    }

    mutating func takeBytes() -> [UInt8] { json.takeBytes() }
}

/// RFC 4180, a row a period and series.
struct HistoryCSV: HistoryFormat {
    static let contentType = "text/csv; charset=utf-8; header=present"
    static let headers = [("Content-Disposition", "attachment; filename=\"history.csv\"")]
    private static let columns =
        "start,end,circuit,name,is_circuit,power_w,minimum_power_w,maximum_power_w,energy_kwh,returned_kwh,coverage,quality\r\n"

    private var bytes: [UInt8] = []
    /// Id and name of each series, and whether it is a circuit's, as they stand in a row.
    private var labels: [[UInt8]] = []

    var count: Int { bytes.count }

    mutating func begin(_ report: HistoryReport) {
        bytes.reserveCapacity(80 * 1024)
        bytes += Array(Self.columns.utf8)
        labels = report.series.map { series in
            Self.cell(series.id) + [UInt8(ascii: ",")] + Self.cell(series.name)
                + Array(series.isCircuit ? ",1".utf8 : ",0".utf8)
        }
    }

    mutating func add(_ period: HistoryReport.Period) {
        var times: [UInt8] = []
        Timestamp.append(period.start, to: &times)
        times.append(UInt8(ascii: ","))
        Timestamp.append(period.end, to: &times)
        times.append(UInt8(ascii: ","))
        for (label, value) in zip(labels, period.values) {
            bytes += times
            bytes += label
            for number in [
                value.powerW, value.minimumPowerW, value.maximumPowerW, value.energyKWh, value.returnedKWh,
                value.coverage,
            ] {
                bytes.append(UInt8(ascii: ","))
                if let number, number.isFinite { bytes.append(contentsOf: number.description.utf8) }
            }
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: value.quality.word.utf8)
            bytes.append(UInt8(ascii: "\r"))
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    mutating func end() {}

    mutating func takeBytes() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// Quoted where it has to be. What a spreadsheet would take for a formula gets an apostrophe before it.
    private static func cell(_ text: String) -> [UInt8] {
        var text = Array(text.utf8)
        if let first = text.first, "=+-@\t\r".utf8.contains(first) { text.insert(UInt8(ascii: "'"), at: 0) }
        guard text.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return text }
        let quote = UInt8(ascii: "\"")
        return [quote] + text.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
    }
}
