import Observability

/// An answer that says what went wrong: `application/problem+json` (RFC 9457).
package struct Problem: Error, Sendable {
    package let status: Int
    package let title: String
    /// What happened and what to do, for a person.
    package let detail: String
    package let headers: [(name: String, value: String)]

    package init(
        status: Int, title: String, detail: String, headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers
    }

    static let contentType = "application/problem+json"

    /// `error` repeats the detail under the key that the Python service's clients look for.
    static let shape = Shape<Problem>(
        "Problem",
        [
            .text("type") { _ in "about:blank" },
            .text("title", "What went wrong, in general") { $0.title },
            .count("status") { $0.status },
            .text("detail", "What happened and what to do, for a person") { $0.detail },
            .text("error", "As `detail`") { $0.detail },
        ])

    package var response: Response {
        Response(
            status: status, contentType: Self.contentType, body: Self.shape.body(self), headers: headers)
    }

    static let notFound = Problem(status: 404, title: "Not Found", detail: "There is nothing at this path.")
    static let badTarget = Problem(
        status: 400, title: "Bad Request", detail: "The path or query is not validly escaped UTF-8.")
    /// Where the request ends is not certain, so nothing more is read of that connection.
    static func ambiguous(_ fault: String) -> Problem {
        Problem(status: 400, title: "Bad Request", detail: fault, headers: [("Connection", "close")])
    }
    static let targetTooLong = Problem(
        status: 414, title: "URI Too Long", detail: "The path and query are longer than this server reads.")
    static let wrongHost = Problem(
        status: 421, title: "Misdirected Request",
        detail: "This name is not one of this server's. Use its address, or add the name to ALLOWED_HOSTS.")

    static let unauthorized = Problem(
        status: 401, title: "Unauthorized",
        detail: "This needs the header Authorization: Bearer TOKEN, with the value of API_TOKEN.",
        headers: [("WWW-Authenticate", "Bearer realm=\"smart-meter\"")])
    static let otherSite = Problem(
        status: 403, title: "Forbidden", detail: "A page of another site may not change anything here.")
    static let busy = Problem(
        status: 503, title: "Busy", detail: "Too much is being asked at once. Ask again in a moment.",
        headers: [("Retry-After", "2")])

    package static func noSuchInstance(_ name: String) -> Problem {
        Problem(
            status: 404, title: "Not Found",
            detail: "There is no instance \(name.prefix(100)); /api/v1/adapters lists those that are.")
    }

    package static func conflict(_ detail: String) -> Problem {
        Problem(status: 409, title: "Conflict", detail: detail)
    }

    static func badParameter(_ name: String, _ value: String, allowed: String) -> Problem {
        Problem(
            status: 400, title: "Bad Request",
            detail: "\(name)=\(value.prefix(100)) is not allowed: it must be \(allowed)")
    }

    static func repeated(_ name: String) -> Problem {
        Problem(status: 400, title: "Bad Request", detail: "\(name) is given more than once: which one counts?")
    }

    static func tooMuch(_ what: String) -> Problem {
        Problem(
            status: 400, title: "Bad Request",
            detail: "More is asked for than one answer holds: \(what). Ask for a shorter time or a coarser resolution.")
    }

    static func methodNotAllowed(_ allowed: [String]) -> Problem {
        let list = allowed.joined(separator: ", ")
        return Problem(
            status: 405, title: "Method Not Allowed", detail: "This path answers \(list).", headers: [("Allow", list)])
    }

    static func bodyTooLarge(_ limit: Int) -> Problem {
        Problem(status: 413, title: "Content Too Large", detail: "At most \(limit) bytes are read.")
    }
}
