import AdapterKit

/// Sense's API: what is sent and what an answer's status means. Nothing of a login is ever part of an address or a
/// message.
struct Cloud: Sendable {
    private let host: AdapterHost
    private let url: String
    /// 32 hexadecimal digits, made once and kept: to the cloud we are one device.
    private let deviceID: String

    private static let largestAnswer: UInt64 = 4 << 20

    init(_ host: AdapterHost, url: String) throws(AdapterError) {
        self.host = host
        self.url = url
        deviceID = try Self.deviceID(host)
    }

    private static func deviceID(_ host: AdapterHost) throws(AdapterError) -> String {
        let key = "device"
        let digits = Array("0123456789abcdef".utf8)
        if let kept = host.state(key), kept.count == 32, kept.allSatisfy(digits.contains) {
            return String(decoding: kept, as: UTF8.self)
        }
        let made = (0..<32).map { _ in digits[Int.random(in: 0..<16)] }
        try host.setState(key, made)
        return String(decoding: made, as: UTF8.self)
    }

    /// A question with a token.
    func get(_ path: String, token: String, _ deadline: Deadline?) throws(AdapterError) -> HTTPResponse {
        var request = HTTPRequest(.get, url + path)
        request.headers = [("x-sense-device-id", deviceID), ("Authorization", "bearer \(token)")]
        return try perform(request, deadline)
    }

    /// A form.
    func post(
        _ path: String, _ fields: [(name: String, value: String)], _ deadline: Deadline?
    ) throws(AdapterError) -> HTTPResponse {
        var request = HTTPRequest(.post, url + path)
        request.headers = [
            ("x-sense-device-id", deviceID), ("Content-Type", "application/x-www-form-urlencoded"),
        ]
        request.body = fields.map { "\($0.name)=\(Self.escaped($0.value))" }.joined(separator: "&")
        return try perform(request, deadline)
    }

    private func perform(_ request: HTTPRequest, _ deadline: Deadline?) throws(AdapterError) -> HTTPResponse {
        var request = request
        request.deadline = deadline
        // A password goes to the address that was set, and nowhere else.
        request.followsRedirects = false
        request.maximumBodyBytes = Self.largestAnswer
        return try host.http(request)
    }

    /// What the cloud says of a login that it refuses, in one line and without what was sent to it.
    static func reason(_ response: HTTPResponse, hiding secrets: [String]) -> String {
        let words = JSON.parse(response.body)?["error_reason"]?.text ?? ""
        let line = words.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
        let said = String(String.UnicodeScalarView(line.prefix(200)))
        let tellsSecret = secrets.contains { !$0.isEmpty && (words.contains($0) || words.contains(escaped($0))) }
        return said.isEmpty || tellsSecret ? "it answered \(response.status)" : "it says: \(said)"
    }

    /// As a form's value: everything but letters, digits and a few signs in hexadecimal.
    static func escaped(_ value: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = value.utf8.flatMap { byte -> [UInt8] in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-._~".utf8.contains(byte)
            return isPlain ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension HTTPResponse {
    /// Whether a refusal has the reason that Sense's API gives with one.
    var isOfSense: Bool { JSON.parse(body)?["error_reason"]?.text != nil }
}
