import Readings

/// `/api/v1/energy`: what is asked, checked.
enum EnergyRoute {
    /// Periods in one answer at most: a quarter of a year of quarter hours, centuries of months.
    private static let limit = 10_000

    static func route(_ house: any HouseView) -> Route {
        Route(
            .get, "/api/v1/energy",
            summary: "Energies and costs of the house by quarter hour, hour, local day or month."
        ) { (request) throws(Problem) in
            let question = try question(request, zone: house.houseZone, now: house.now)
            return .json(try house.energy(question).json)
        }
    }

    private static func question(
        _ request: Request, zone: Zone, now: Instant
    ) throws(Problem) -> EnergyReport.Question {
        let resolution = request.query("resolution") ?? "1d"
        guard let shortest = shortest[resolution] else {
            throw .badParameter("resolution", resolution, allowed: "15m, 1h, 1d or 1mo")
        }
        let to = try time("to", request, zone) ?? now
        let from = try time("from", request, zone) ?? zone.startOfDay(containing: to - Duration.day * 30)
        guard from < to else { throw .badParameter("from", request.query("from") ?? "", allowed: "a time before to") }
        guard (to - from) / shortest < limit else {
            throw Problem(
                status: 400, title: "Bad Request",
                detail: "from and to are too far apart for \(resolution): at most \(limit) periods are answered")
        }
        return EnergyReport.Question(resolution: resolution, from: from, to: to)
    }

    private static let shortest = [
        "15m": 15 * Duration.minute, "1h": Duration.hour, "1d": Duration.day, "1mo": 28 * Duration.day,
    ]

    private static func time(_ name: String, _ request: Request, _ zone: Zone) throws(Problem) -> Instant? {
        guard let text = request.query(name) else { return nil }
        guard let instant = TimeParameter.parse(text, in: zone) else {
            throw .badParameter(name, text, allowed: TimeParameter.grammar)
        }
        return instant
    }
}
