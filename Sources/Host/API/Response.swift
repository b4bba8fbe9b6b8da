/// What a handler answers; the server adds the headers that every answer has.
package struct Response: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// A file that is part of the program: sent without a copy.
        case page(Page)

        package var count: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .page(let page): page.count
            }
        }
    }

    package var status: Int
    package var contentType: String
    package var body: Body
    package var headers: [(name: String, value: String)]

    package init(
        status: Int = 200, contentType: String, body: Body, headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.headers = headers
    }

    package init(
        status: Int = 200, contentType: String, body: [UInt8], headers: [(name: String, value: String)] = []
    ) {
        self.init(status: status, contentType: contentType, body: .bytes(body), headers: headers)
    }

    package static func json(_ body: [UInt8], status: Int = 200) -> Response {
        Response(status: status, contentType: "application/json", body: body)
    }

    /// On every answer, unless a handler gives its own: nothing is cached, framed, sniffed or loaded from elsewhere.
    static let commonHeaders: [(name: String, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ]
}
