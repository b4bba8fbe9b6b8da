import Readings

/// `/api/v1/history`: what is asked, checked.
enum HistoryRoute {
    /// Periods times series in one answer at most.
    private static let limit = 1_000_000
    /// Circuits that one request may name.
    private static let mostCircuits = 200
    private static let circuit = ParameterDeclaration(
        name: "circuit", place: .query, schema: .text, defaultText: "total",
        about: "An id, `total`, `unmonitored`, or `*` for all circuits", isRepeatable: true)

    private typealias Question = HistoryReport.Question

    private enum Format: String, CaseIterable {
        case json, csv
    }

    static func route(_ house: any HouseView) -> Route {
        let zone = house.houseZone
        let resolution = Parameter<Question.Resolution>.word("resolution", default: .hour, "raw: the stored slots")
        let from = Parameter.time(
            "from", in: zone,
            "Without it, before `to`: a day (raw, 15m), a week (1h), 30 days (1d), a year (1mo); its period is whole")
        let to = Parameter.time(
            "to", in: zone, "The quarter hour that it lies in is whole (raw: slots that end by then); now without it")
        let format = Parameter<Format?>.optionalWord("format", "As `Accept` says without it, else json")
        return Route(
            .get, "/api/v1/history", .history, "Power and energy over time, of the total and of circuits.",
            parameters: [
                .instance, circuit, resolution.declaration, from.declaration, to.declaration, format.declaration,
            ],
            answers: [
                DocumentedAnswer(
                    status: 200, about: "At most \(limit) values: periods times series.",
                    contents: [("application/json", HistoryReport.schema), (HistoryCSV.contentType, nil)]),
                .problem(404, "There is no such instance, or no such circuit."), .noStore,
            ],
            handler: .stored { (request) throws(Problem) in
                let wanted = try resolution.value(in: request)
                let end = try to.value(in: request) ?? house.now
                let start = try from.value(in: request) ?? wanted.usualStart(before: end, in: zone)
                guard start < end else {
                    throw .badParameter("from", request.query("from") ?? "", allowed: "a time before to")
                }
                let question = Question(
                    instance: try request.only(ParameterDeclaration.instance.name), selections: try selections(request),
                    resolution: wanted, from: start, to: end, limit: limit)
                let isCSV = try format.value(in: request).map { $0 == .csv } ?? request.prefersCSV
                return { () throws(Problem) in
                    let source = try house.history(question)
                    return isCSV
                        ? .pieces(
                            contentType: HistoryCSV.contentType, headers: HistoryCSV.headers,
                            HistoryPieces(source, HistoryCSV()))
                        : .pieces(contentType: "application/json", headers: [], HistoryPieces(source, HistoryJSON()))
                }
            })
    }

    /// In the order of the request, none twice.
    private static func selections(_ request: Request) throws(Problem) -> [Question.Selection] {
        let words = request.query.filter { $0.name == circuit.name }.map(\.value)
        guard words.count <= mostCircuits else {
            throw .tooMuch("circuit: at most \(mostCircuits) can be named; * is all of them")
        }
        var selections: [Question.Selection] = []
        for word in words.isEmpty ? ["total"] : words {
            let selection: Question.Selection =
                switch word {
                case "total": .total
                case "unmonitored": .unmonitored
                case "*": .all
                default: .circuit(word)
                }
            if !selections.contains(selection) { selections.append(selection) }
        }
        return selections
    }
}

extension HistoryReport.Question.Resolution {
    /// Where a history begins when nobody says.
    fileprivate func usualStart(before end: Instant, in zone: Zone) -> Instant {
        switch self {
        case .raw, .quarter: end - Duration.day
        case .hour: end - 7 * Duration.day
        case .day: zone.startOfDay(containing: end - 30 * Duration.day)
        case .month: zone.startOfMonth(containing: end - 365 * Duration.day)
        }
    }
}

extension Request {
    /// Whether `Accept` names CSV, and not JSON before it.
    fileprivate var prefersCSV: Bool {
        guard let accept = header("accept")?.lowercased() else { return false }
        for element in accept.split(separator: ",") {
            let type = element.prefix { $0 != ";" }.filter { $0 != " " }
            if type == "text/csv" { return true }
            if type == "application/json" || type == "*/*" { return false }
        }
        return false
    }
}
