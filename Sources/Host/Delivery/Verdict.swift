import FoundationEssentials

/// What an answer of the server means for the lines that were sent. A pure function of the answer; the table stands in
/// `docs/architecture.md`.
package enum Verdict: Hashable, Sendable {
    /// All of it is stored.
    case accepted
    /// At least one line is at fault, the server says with these words; `lines` numbers them (from 1) where it names
    /// them. With `isNamed` a line alone is rejected; without, only once a neighbour was accepted.
    case faulty(words: String, lines: [Int], isNamed: Bool)
    /// Too much at once.
    case tooLarge
    /// The token or password is refused.
    case unauthorized(words: String)
    /// There is no such bucket or database, or no such path.
    case notFound(words: String)
    /// Somebody has to look: what was asked makes no sense to whoever answered.
    case misconfigured(words: String)
    /// Later. Nanoseconds; 0 = when we like.
    case busy(retryAfter: Int64, words: String)

    package init(status: Int, body: [UInt8], retryAfter: Int64) {
        let error = ServerError(body)
        let words = error?.words ?? Self.plain(body, status)
        switch status {
        // A page in place of an answer: a proxy or a login spoke, and nothing is stored.
        case 200..<300 where Self.isPage(body): self = .misconfigured(words: words)
        case 200..<300: self = .accepted
        case 401, 403: self = .unauthorized(words: words)
        case 404: self = .notFound(words: words)
        case 413: self = .tooLarge
        case 408, 429, 503: self = .busy(retryAfter: retryAfter, words: words)
        case 400, 422:
            guard let error else {
                self = .misconfigured(words: words)
                return
            }
            self = .faulty(words: error.words, lines: error.lines, isNamed: error.namesLine)
        case 500 where error?.isAboutLines == true || Self.isAboutLines(words):
            self = .faulty(words: words, lines: error?.lines ?? [], isNamed: true)
        case 500...: self = .busy(retryAfter: 0, words: words)
        default: self = .misconfigured(words: words)
        }
    }

    private static func isPage(_ body: [UInt8]) -> Bool { body.first { $0 > 32 } == UInt8(ascii: "<") }

    static func isAboutLines(_ words: String) -> Bool {
        let lower = words.lowercased()
        return lower.contains("field type conflict") || lower.contains("partial write")
    }

    /// The beginning of an answer that is no JSON, in one line.
    private static func plain(_ body: [UInt8], _ status: Int) -> String {
        let text = String(decoding: body.prefix(200), as: UTF8.self)
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return "HTTP \(status)" + (line.isEmpty ? "" : ": \(line)")
    }
}

/// InfluxDB's JSON errors: v1 `error`, v2 `code` and `message`, v3 `error` and `data`.
private struct ServerError: Decodable {
    private struct BadLine: Decodable {
        var line_number: Int?
        var error_message: String?
    }

    private let words1: String
    private let badLines: [BadLine]

    private enum CodingKeys: String, CodingKey {
        case error
        case message
        case data
    }

    init?(_ body: [UInt8]) {
        guard body.first(where: { $0 > 32 }) == UInt8(ascii: "{"),
            let parsed = try? JSONDecoder().decode(Self.self, from: Data(body))
        else { return nil }
        self = parsed
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let message = try? container.decode(String.self, forKey: .message)
        guard let words = message ?? (try? container.decode(String.self, forKey: .error)) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: [], debugDescription: "neither error nor message"))
        }
        words1 = words
        badLines = (try? container.decode([BadLine].self, forKey: .data)) ?? []
    }

    var words: String {
        let details = badLines.compactMap(\.error_message).first.map { " (\($0))" } ?? ""
        return String((words1 + details).prefix(1000))
    }

    /// Only where the server says that it has stored the others.
    var lines: [Int] { isAboutLines ? badLines.compactMap(\.line_number) : [] }

    var isAboutLines: Bool { Verdict.isAboutLines(words1) }

    /// Whether it is about what a line says: its form, a field's type, its age.
    var namesLine: Bool {
        if !badLines.isEmpty || isAboutLines { return true }
        let lower = words1.lowercased()
        return [
            "unable to parse", "invalid line protocol", "line protocol", "retention", "failed to parse", "conflict",
        ]
        .contains { lower.contains($0) }
    }
}
