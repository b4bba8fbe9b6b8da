import Observability

/// The routes of the Python service, and the two that a supervisor asks.
package enum HouseRoutes {
    package static func table(_ house: any HouseView) -> [Route] {
        [
            Route(.get, "/health", summary: "How the service fares, what is wrong and what to do.") { _ in
                .json(house.health().json)
            },
            Route(.get, "/live", summary: "Whether the process answers.") { _ in
                status(200, "ok")
            },
            Route(.get, "/ready", summary: "Whether the service does what it is for; 503 where not.") { _ in
                house.health().isReady ? status(200, "ready") : status(503, "unhealthy: see /health")
            },
            Route(.get, "/consumption", summary: "What the house uses now, in all and by circuit.") {
                (_) throws(Problem) in
                guard let consumption = house.consumption() else { throw noReading }
                return .json(consumption.json)
            },
            EnergyRoute.route(house),
        ]
    }

    private static func status(_ code: Int, _ text: String) -> Response {
        .json(JSONWriter.body { $0.field("status", text) }, status: code)
    }

    private static let noReading = Problem(
        status: 503, title: "No Reading Yet",
        detail: "No meter has been read yet. /health says what each adapter is doing.")
}
