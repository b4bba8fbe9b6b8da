/// One line of the route table: what is matched, what documents it, and who answers.
package struct Route: Sendable {
    package typealias Handler = @Sendable (Request) throws(Problem) -> Response

    package let method: Request.Method
    /// Segments split by `/`; `{name}` matches any one segment that is not empty.
    package let path: String
    /// One sentence, for the API's documentation.
    package let summary: String
    let segments: [Substring]
    let handler: Handler

    /// `handler` runs on the http thread and must not block: it reads snapshots.
    package init(_ method: Request.Method, _ path: String, summary: String, handler: @escaping Handler) {
        self.method = method
        self.path = path
        self.summary = summary
        self.segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        self.handler = handler
    }

    /// The path's parameters where it matches.
    func match(_ requested: [String]) -> [String: String]? {
        guard requested.count == segments.count else { return nil }
        var parameters: [String: String] = [:]
        for (segment, text) in zip(segments, requested) {
            if segment.first == "{" {
                guard !text.isEmpty else { return nil }
                parameters[String(segment.dropFirst().dropLast())] = text
            } else if segment != text {
                return nil
            }
        }
        return parameters
    }

    /// A HEAD is a GET whose body is not sent.
    func accepts(_ method: Request.Method) -> Bool {
        method == self.method || (method == .head && self.method == .get)
    }
}

/// The table that requests are routed by; the first route that matches answers.
package struct Router: Sendable {
    package let routes: [Route]

    package init(_ routes: [Route]) {
        self.routes = routes
    }

    package func respond(to request: Request) -> Response {
        var allowed: [String] = []
        for route in routes {
            guard let parameters = route.match(request.segments) else { continue }
            guard route.accepts(request.method) else {
                allowed += route.method == .get ? ["GET", "HEAD"] : [route.method.rawValue]
                continue
            }
            var request = request
            request.parameters = parameters
            do {
                return try route.handler(request)
            } catch {
                return error.response
            }
        }
        return allowed.isEmpty ? Problem.notFound.response : Problem.methodNotAllowed(allowed).response
    }
}
