/// Meters, what can be asked of them, and the way to InfluxDB.
enum MeterRoutes {
    static func table(_ house: any HouseView) -> [Route] {
        [adapters(house)] + InstanceAction.allCases.map { action($0, house) } + [delivery(house)]
    }

    private static func adapters(_ house: any HouseView) -> Route {
        Route(
            .get, "/api/v1/adapters", .meters, "Every instance: how it fares, and what it runs with.",
            answers: [.json(AdaptersReport.shape.schema, "Also files that were refused.")],
            handler: .now { _ in .json(AdaptersReport.shape.body(house.adapters())) })
    }

    private static func action(_ action: InstanceAction, _ house: any HouseView) -> Route {
        Route(
            .post, "/api/v1/adapters/{instance}/\(action.rawValue)", .meters, action.summary,
            parameters: [.instanceInPath],
            answers: [
                .json(accepted(action).schema, status: 202, "It will be done."), .noSuchInstance,
                .problem(409, "The instance cannot do that now."),
            ],
            handler: .now { (request) throws(Problem) in
                let instance = request.parameters["instance"] ?? ""
                try house.ask(action, of: instance)
                return .json(accepted(action).body(instance), status: 202)
            })
    }

    private static func accepted(_ action: InstanceAction) -> Shape<String> {
        Shape(
            "Accepted",
            [
                .text("instance") { $0 },
                .word("action", InstanceAction.allCases.map(\.rawValue)) { _ in action.rawValue },
            ])
    }

    private static func delivery(_ house: any HouseView) -> Route {
        let limit = Parameter.integer("limit", 0...1000, default: 20, "Rejected lines, the newest first")
        return Route(
            .get, "/api/v1/delivery", .meters,
            "The way to InfluxDB: what waits, what was answered, what was rejected.",
            parameters: [limit.declaration], answers: [.json(DeliveryReport.shape.schema, "All of it."), .noStore],
            handler: .stored { (request) throws(Problem) in
                let count = try limit.value(in: request)
                return { () throws(Problem) in
                    .whole(.json(DeliveryReport.shape.body(try house.deliveryDetails(rejectedLines: count))))
                }
            })
    }
}

extension InstanceAction {
    fileprivate var summary: String {
        switch self {
        case .read: "Asks for a reading as soon as the adapter's minimum allows."
        case .pause: "Stops an instance until it is resumed, also over restarts."
        case .resume: "Ends a pause."
        }
    }
}
