/// Writes samples in Prometheus' text format 0.0.4.
struct MetricsWriter {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(16 * 1024)
    }

    mutating func declare(_ metric: Metric) {
        add("# HELP \(metric.name) ")
        add(Self.escaped(metric.help, quotes: false))
        add("\n# TYPE \(metric.name) \(metric.kind.rawValue)\n")
    }

    /// - Parameter suffix: of a histogram's parts.
    mutating func sample(
        _ metric: Metric, suffix: String = "", _ labels: [(name: String, value: String)], _ value: Double
    ) {
        add(metric.name)
        add(suffix)
        if !labels.isEmpty {
            add("{")
            for (index, label) in labels.enumerated() {
                add(index == 0 ? "" : ",")
                add(label.name)
                add("=\"")
                add(Self.escaped(label.value, quotes: true))
                add("\"")
            }
            add("}")
        }
        add(" ")
        add(Self.number(value))
        add("\n")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }

    private mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
