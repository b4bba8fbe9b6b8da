import Observability

/// The routes of the Python service, and what supervisors ask.
enum ServiceRoutes {
    static func table(_ house: any HouseView) -> [Route] {
        [health(house), live, ready(house), consumption(house), metrics(house)]
    }

    private static func health(_ house: any HouseView) -> Route {
        Route(
            .get, "/health", .service, "How the service fares, what is wrong and what to do.", access: .everybody,
            answers: [
                .json(
                    .object(
                        name: HealthReport.shape.name, properties: HealthReport.shape.fields.map(\.property),
                        required: HealthReport.contract.fields.count),
                    "Always 200. Where API_TOKEN is set, a request without it gets the keys up to `timestamp` only.")
            ],
            handler: .now { request in
                let report = house.health()
                return .json(
                    request.isTrusted ? HealthReport.shape.body(report) : HealthReport.contract.body(report))
            })
    }

    private static let live = Route(
        .get, "/live", .service, "Whether the process answers.", access: .everybody,
        answers: [.json(status.schema, "It does.")], handler: .now { _ in .json(status.body("ok")) })

    private static func ready(_ house: any HouseView) -> Route {
        Route(
            .get, "/ready", .service, "Whether the service does what it is for.", access: .everybody,
            answers: [
                .json(status.schema, "It does."),
                .json(status.schema, status: 503, "It does not; /health says why."),
            ],
            handler: .now { _ in
                house.health().isReady
                    ? .json(status.body("ready")) : .json(status.body("unhealthy: see /health"), status: 503)
            })
    }

    private static func consumption(_ house: any HouseView) -> Route {
        let memo = BodyMemo()
        return Route(
            .get, "/consumption", .service, "What the house uses now, in all and by circuit.",
            answers: [
                .json(ReadingReport.consumption.schema, "The newest reading of the house."),
                .problem(503, "No meter has been read yet."),
            ],
            handler: .now { (_) throws(Problem) in
                let body = memo.body(readingCount: house.readingCount) {
                    house.houseReading().map { reading in
                        ReadingReport.consumption.body(reading, reserving: 1024 + reading.circuits.count * 128)
                    }
                }
                guard let body else { throw noReading }
                return .json(body)
            })
    }

    private static func metrics(_ house: any HouseView) -> Route {
        Route(
            .get, "/metrics", .service, "For Prometheus: powers, energies, adapters, delivery, alerts, the process.",
            access: .metrics, answers: [.of(metricsType, "Text format 0.0.4.")],
            handler: .now { _ in Response(contentType: metricsType, body: Metric.text(house.metrics())) })
    }

    private static let metricsType = "text/plain; version=0.0.4; charset=utf-8"
    private static let status = Shape<String>("Status", [.text("status") { $0 }])
    private static let noReading = Problem(
        status: 503, title: "No Reading Yet",
        detail: "No meter has been read yet. /health says what each adapter is doing.")
}
