import Readings

/// `/api/v1/energy`: what is asked, checked.
enum EnergyRoute {
    /// Periods in one answer at most: a quarter of a year of quarter hours, centuries of months.
    private static let limit = 10_000

    private enum Resolution: String, CaseIterable {
        case quarter = "15m"
        case hour = "1h"
        case day = "1d"
        case month = "1mo"

        var shortest: Int64 {
            switch self {
            case .quarter: 15 * Duration.minute
            // A zone's clock may be changed by half an hour.
            case .hour: 30 * Duration.minute
            case .day: 22 * Duration.hour
            case .month: 27 * Duration.day
            }
        }
    }

    static func route(_ house: any HouseView) -> Route {
        let zone = house.houseZone
        let resolution = Parameter<Resolution>.word("resolution", default: .day, "By the local clock")
        let from = Parameter.time("from", in: zone, "30 local days before `to` without it; its period is whole")
        let to = Parameter.time("to", in: zone, "The quarter hour that it lies in is whole; now without it")
        return Route(
            .get, "/api/v1/energy", .history,
            "Energies and costs, of the house or of an instance, by quarter hour, hour, local day or month.",
            parameters: [.instance, resolution.declaration, from.declaration, to.declaration],
            answers: [
                .json(EnergyReport.shape.schema, "At most \(limit) periods, those in which something was stored."),
                .noSuchInstance, .noStore,
            ],
            handler: .stored { (request) throws(Problem) in
                let wanted = try resolution.value(in: request)
                let end = try to.value(in: request) ?? house.now
                let start = try from.value(in: request) ?? zone.startOfDay(containing: end - Duration.day * 30)
                guard start < end else {
                    throw .badParameter("from", request.query("from") ?? "", allowed: "a time before to")
                }
                guard (end - start) / wanted.shortest < limit else {
                    throw .tooMuch("\(wanted.rawValue): at most \(limit) periods are answered")
                }
                let question = EnergyReport.Question(
                    instance: try request.only(ParameterDeclaration.instance.name), resolution: wanted.rawValue,
                    from: start, to: end)
                return { () throws(Problem) in
                    .whole(.json(EnergyReport.shape.body(try house.energy(question))))
                }
            })
    }
}
