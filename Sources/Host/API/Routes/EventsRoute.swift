/// `/api/v1/events`.
enum EventsRoute {
    static let route = Route(
        .get, "/api/v1/events", .events,
        "Server-sent events: a snapshot, then every reading and change.",
        answers: [
            .of("text/event-stream", "A stream that goes on until the client leaves."),
            .problem(503, "Too many clients are being served."),
        ],
        handler: .events)
}
