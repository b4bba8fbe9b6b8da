/// One request as a handler sees it. Everything in it comes from outside and is hostile.
package struct Request: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        /// Anything else: no route has it.
        case other
    }

    package let method: Method
    /// The path's segments, percent-decoded: `/a/b%2Fc` is `["a", "b/c"]`.
    package let segments: [String]
    /// In the order of the request; names may repeat.
    package let query: [(name: String, value: String)]
    /// What stands in the places of the route's `{…}`.
    package internal(set) var parameters: [String: String] = [:]
    /// It has the token, or none is needed.
    package internal(set) var isTrusted = true
    /// The server asks for one.
    package internal(set) var needsToken = false
    package let headers: [(name: String, value: String)]

    /// `target` is the request line's, as it came. Nil where it is no path or its escapes are not UTF-8.
    package init?(
        method: Method, target: String, headers: [(name: String, value: String)] = []
    ) {
        guard let target = RequestTarget(target) else { return nil }
        self.method = method
        self.segments = target.segments
        self.query = target.query
        self.headers = headers
    }

    /// The first value of a query parameter.
    package func query(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// The value of a parameter that may be given once; nil where it is not given.
    func only(_ name: String) throws(Problem) -> String? {
        let values = query.filter { $0.name == name }
        guard values.count <= 1 else { throw .repeated(name) }
        return values.first?.value
    }

    /// The first value of a header; names are compared without case.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}
