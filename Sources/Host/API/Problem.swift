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

    /// `error` repeats the detail under the key that the Python service's clients look for.
    package var response: Response {
        let body = JSONWriter.body { json in
            json.field("type", "about:blank")
            json.field("title", title)
            json.field("status", status)
            json.field("detail", detail)
            json.field("error", detail)
        }
        return Response(
            status: status, contentType: "application/problem+json", body: body, headers: headers)
    }

    static let notFound = Problem(status: 404, title: "Not Found", detail: "There is nothing at this path.")
    static let badTarget = Problem(
        status: 400, title: "Bad Request", detail: "The path or query is not validly escaped UTF-8.")
    static let targetTooLong = Problem(
        status: 414, title: "URI Too Long", detail: "The path and query are longer than this server reads.")
    static let wrongHost = Problem(
        status: 421, title: "Misdirected Request",
        detail: "This name is not one of this server's. Use its address, or add the name to ALLOWED_HOSTS.")

    static func badParameter(_ name: String, _ value: String, allowed: String) -> Problem {
        Problem(
            status: 400, title: "Bad Request",
            detail: "\(name)=\(value.prefix(100)) is not allowed: it must be \(allowed)")
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
