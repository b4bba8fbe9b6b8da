import Readings

/// What was.
enum HistoryRoutes {
    static func table(_ house: any HouseView) -> [Route] {
        [HistoryRoute.route(house), EnergyRoute.route(house), phantom(house), alerts(house)]
    }

    private static func phantom(_ house: any HouseView) -> Route {
        let nights = Parameter.integer("nights", 1...1000, default: 30, "How many, the newest first")
        return Route(
            .get, "/api/v1/phantom", .history, "What the house draws at night when nobody uses anything.",
            parameters: [.instance, nights.declaration],
            answers: [.json(PhantomReport.shape.schema, "Night by night."), .noSuchInstance, .noStore],
            handler: .stored { (request) throws(Problem) in
                let count = try nights.value(in: request)
                let instance = try request.only(ParameterDeclaration.instance.name)
                return { () throws(Problem) in
                    .whole(.json(PhantomReport.shape.body(try house.phantom(nights: count, of: instance))))
                }
            })
    }

    private static func alerts(_ house: any HouseView) -> Route {
        let state = Parameter<AlertReport.Question.State>.word("state", default: .all, "Those in this state only")
        let before = Parameter.time(
            "before", in: house.houseZone, "Only those that began before this time: the next page")
        let limit = Parameter.integer("limit", 1...1000, default: 100, "How many")
        return Route(
            .get, "/api/v1/alerts", .history, "Alerts, active and past.",
            parameters: [state.declaration, before.declaration, limit.declaration],
            answers: [.json(AlertReport.list.schema, "Those that began last first."), .noStore],
            handler: .stored { (request) throws(Problem) in
                let question = AlertReport.Question(
                    state: try state.value(in: request), before: try before.value(in: request),
                    limit: try limit.value(in: request))
                return { () throws(Problem) in
                    .whole(.json(AlertReport.list.body(try house.alerts(question))))
                }
            })
    }
}
