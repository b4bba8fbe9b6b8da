import Readings

/// What is now.
enum NowRoutes {
    static func table(_ house: any HouseView) -> [Route] { [readings(house), circuits(house)] }

    private static func readings(_ house: any HouseView) -> Route {
        Route(
            .get, "/api/v1/readings", .now, "The newest reading of each instance.",
            answers: [.json(ReadingsReport.shape.schema, "Those that there are.")],
            handler: .now { _ in
                let report = ReadingsReport(zone: house.houseZone.name, readings: house.readings())
                return .json(ReadingsReport.shape.body(report))
            })
    }

    private static func circuits(_ house: any HouseView) -> Route {
        Route(
            .get, "/api/v1/circuits", .now, "Every circuit that an instance has ever shown.",
            parameters: [.instance],
            answers: [
                .json(CircuitsReport.shape.schema, "By their durable numbers."), .noSuchInstance, .noStore,
            ],
            handler: .stored { (request) throws(Problem) in
                let instance = try request.only(ParameterDeclaration.instance.name)
                return { () throws(Problem) in
                    .whole(.json(CircuitsReport.shape.body(try house.circuits(of: instance))))
                }
            })
    }
}

extension DocumentedAnswer {
    static let noSuchInstance = DocumentedAnswer.problem(404, "There is no such instance.")
    static let noStore = DocumentedAnswer.problem(
        503, "The store cannot be read now, or too much is being asked of it.")
}
