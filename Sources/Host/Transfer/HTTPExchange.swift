/// A request to a server.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    /// Never sent to another host that a redirect names.
    package enum Authorization: Sendable {
        case none
        case basic(user: String, password: String)
        case digest(user: String, password: String)
        case bearer(String)
    }

    package var method: Method
    package var url: String
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8] = []
    package var authorization = Authorization.none
    /// PEM file to trust instead of the system's; empty = the system's.
    package var caFile = ""
    package var followsRedirects = true
    /// Whether the answer is taken as soon as its head is there, whatever follows.
    package var ignoresBody = false
    /// More of an answer's body ends the request.
    package var maximumBodyBytes = 4 << 20

    package init(_ method: Method, _ url: String) {
        self.method = method
        self.url = url
    }
}

/// What a server answered, whatever its status.
package struct HTTPResponse: Sendable {
    package var status = 0
    package var body: [UInt8] = []
    package var contentType = ""
    /// From Retry-After, in nanoseconds; 0 = none.
    package var retryAfter: Int64 = 0
    /// By lower-case name, of the last answer.
    package var headers: [String: String] = [:]

    package init() {}
}

/// Why there is no answer.
package struct TransferError: Error, Sendable {
    package enum Kind: Sendable {
        case unreachable
        case timeout
        case tls
        case tooLarge
        case cancelled
        /// The request itself makes no sense: the URL, a file that is not there.
        case invalid
    }

    package let kind: Kind
    /// One line: what, and of which server. Never credentials.
    package let message: String

    package init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }
}
