/// One line of the route table: what is matched, what documents it, who may ask, and who answers.
package struct Route: Sendable {
    package enum Handler: Sendable {
        /// On the http thread, and must not block: it reads snapshots.
        case now(@Sendable (Request) throws(Problem) -> Response)
        /// Looks at the request on the http thread; what it returns runs on the query thread.
        case stored(@Sendable (Request) throws(Problem) -> StoreQuery)
        /// A stream of events that goes on until the client leaves.
        case events
    }

    /// Who may ask, where `API_TOKEN` is set.
    package enum Access: Sendable {
        case everybody
        case tokenOnly
        /// As `tokenOnly`, unless `METRICS_OPEN` is set.
        case metrics
    }

    /// What the documents group it under.
    package enum Section: String, CaseIterable, Sendable {
        case service = "Service"
        case now = "Now"
        case history = "History"
        case meters = "Meters and delivery"
        case events = "Events"
        case pages = "Pages"
    }

    package let method: Request.Method
    /// Segments split by `/`; `{name}` matches any one segment that is not empty.
    package let path: String
    let section: Section
    /// One sentence.
    let summary: String
    let access: Access
    let parameters: [ParameterDeclaration]
    let answers: [DocumentedAnswer]
    let handler: Handler
    private let segments: [Substring]

    /// - Parameter answers: all that the handler gives; what every route may answer need not be among them.
    package init(
        _ method: Request.Method, _ path: String, _ section: Section, _ summary: String, access: Access = .tokenOnly,
        parameters: [ParameterDeclaration] = [], answers: [DocumentedAnswer], handler: Handler
    ) {
        self.method = method
        self.path = path
        self.section = section
        self.summary = summary
        self.access = access
        self.parameters = parameters
        self.answers = answers
        self.handler = handler
        segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
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

/// An answer of a route, for the documents.
package struct DocumentedAnswer: Sendable {
    let status: Int
    let about: String
    /// By content type; nil = not JSON.
    let contents: [(type: String, schema: Schema?)]

    static func json(_ schema: Schema, status: Int = 200, _ about: String) -> Self {
        Self(status: status, about: about, contents: [("application/json", schema)])
    }

    static func of(_ type: String, status: Int = 200, _ about: String) -> Self {
        Self(status: status, about: about, contents: [(type, nil)])
    }

    static func problem(_ status: Int, _ about: String) -> Self {
        Self(status: status, about: about, contents: [(Problem.contentType, Problem.shape.schema)])
    }
}
