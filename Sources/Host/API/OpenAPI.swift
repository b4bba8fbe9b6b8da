import Observability

/// The routes as an OpenAPI 3.1 document.
struct OpenAPI {
    let routes: [Route]
    let version: String
    /// The server asks for one.
    let needsToken: Bool

    var body: [UInt8] {
        JSONWriter.body { json in
            json.field("openapi", "3.1.0")
            json.object("info") { json in
                json.field("title", "smart-meter")
                json.field("version", version)
                json.field(
                    "description",
                    "Readings, history and state of energy meters. Times are RFC 3339 in UTC; null is \"not measured\"."
                )
                json.object("license") { json in
                    json.field("name", "Apache-2.0")
                    json.field("identifier", "Apache-2.0")
                }
            }
            json.array("servers") { json in json.object { $0.field("url", "/") } }
            json.array("tags") { json in
                for section in Route.Section.allCases where routes.contains(where: { $0.section == section }) {
                    json.object { $0.field("name", section.rawValue) }
                }
            }
            json.object("paths", paths)
            json.object("components", components)
        }
    }

    private func paths(_ json: inout JSONWriter) {
        var seen: Set<String> = []
        for route in routes where seen.insert(route.path).inserted {
            json.object(route.path) { json in
                for operation in routes where operation.path == route.path {
                    json.object(operation.method.rawValue.lowercased()) { write(operation, to: &$0) }
                }
            }
        }
    }

    private func write(_ route: Route, to json: inout JSONWriter) {
        json.field("operationId", route.operationID)
        json.words("tags", [route.section.rawValue])
        json.field("summary", route.summary)
        if !route.parameters.isEmpty {
            json.array("parameters") { json in
                for parameter in route.parameters { json.object { Self.write(parameter, to: &$0) } }
            }
        }
        json.object("responses") { json in
            for (status, answers) in route.allAnswers(needsToken: needsToken) {
                json.object("\(status)") { Self.write(answers, to: &$0) }
            }
        }
        guard needsToken else { return }
        json.array("security") { json in
            if route.access != .tokenOnly { json.object { _ in } }
            if route.access != .everybody || route.hasPublicPart { json.object { $0.array("token") { _ in } } }
        }
    }

    private static func write(_ parameter: ParameterDeclaration, to json: inout JSONWriter) {
        json.field("name", parameter.name)
        json.field("in", parameter.place.rawValue)
        json.field("required", parameter.place == .path)
        json.field("description", parameter.about)
        json.object("schema") { json in
            guard !parameter.isRepeatable else {
                json.field("type", "array")
                json.key("items")
                return parameter.schema.write(&json)
            }
            parameter.schema.writeKeywords(&json)
            if let text = parameter.defaultText {
                if case .integer = parameter.schema, let number = Int(text) {
                    json.field("default", number)
                } else {
                    json.field("default", text)
                }
            }
        }
    }

    private static func write(_ answers: [DocumentedAnswer], to json: inout JSONWriter) {
        json.field("description", answers.map(\.about).filter { !$0.isEmpty }.joined(separator: " Or: "))
        let contents = answers.flatMap(\.contents)
        guard !contents.isEmpty else { return }
        json.object("content") { json in
            var seen: Set<String> = []
            for content in contents where seen.insert(content.type).inserted {
                json.object(content.type) { json in
                    guard let schema = content.schema else { return }
                    json.key("schema")
                    schema.write(&json)
                }
            }
        }
    }

    /// The data of events, which no answer has.
    private static var eventObjects: [String: Schema] {
        Snapshot.shape.schema.objects.merging(HouseClock.shape.schema.objects) { first, _ in first }
    }

    private func components(_ json: inout JSONWriter) {
        let schemas = routes.flatMap { $0.allAnswers(needsToken: true) }.flatMap(\.answers).flatMap(\.contents)
            .compactMap(\.schema)
        let objects = schemas.reduce(into: Self.eventObjects) { all, schema in
            all.merge(schema.objects) { first, _ in first }
        }
        json.object("schemas") { json in
            for (name, schema) in objects.sorted(by: { $0.key < $1.key }) {
                json.key(name)
                schema.writeDefinition(&json)
            }
        }
        guard needsToken else { return }
        json.object("securitySchemes") { json in
            json.object("token") { json in
                json.field("type", "http")
                json.field("scheme", "bearer")
                json.field("description", "The value of API_TOKEN, where one is set.")
            }
        }
    }
}

extension Route {
    /// Such as getApiV1History.
    fileprivate var operationID: String {
        let words = path.split { !$0.isLetter && !$0.isNumber }
        return method.rawValue.lowercased() + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// Health tells more to who has the token.
    fileprivate var hasPublicPart: Bool { path == "/health" }

    /// Its own answers, and those that any request may get, by status.
    fileprivate func allAnswers(needsToken: Bool) -> [(status: Int, answers: [DocumentedAnswer])] {
        var all = answers
        all.append(.problem(400, "A parameter is not what it may be, or the path or query is not valid."))
        if needsToken, access != .everybody {
            all.append(.problem(401, "API_TOKEN is set, and the request does not have it."))
        }
        if method == .post { all.append(.problem(403, "The request comes from a page of another site.")) }
        all.append(.problem(413, "The body is too long."))
        all.append(.problem(414, "The path and query are too long."))
        all.append(.problem(421, "The Host header is not a name of this server."))
        return Dictionary(grouping: all, by: \.status).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
