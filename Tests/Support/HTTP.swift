import Foundation
import Glibc

/// A small blocking client for servers on this machine.
public enum HTTP {
    /// What a server answered.
    public struct Answer: Sendable {
        public let status: Int
        /// Names in lower case.
        public let headers: [String: String]
        public let body: [UInt8]

        public var text: String { String(decoding: body, as: UTF8.self) }

        public func json() throws -> Any {
            do {
                return try JSONSerialization.jsonObject(with: Data(body), options: [.fragmentsAllowed])
            } catch {
                throw FixtureError("not JSON: \(text.prefix(200))")
            }
        }

        public func object() throws -> [String: Any] {
            guard let object = try json() as? [String: Any] else {
                throw FixtureError("not a JSON object: \(text.prefix(200))")
            }
            return object
        }
    }

    public static func get(
        _ port: UInt16, _ path: String, headers: [String: String] = [:], timeout: Double = 10
    ) throws -> Answer {
        try request("GET", port, path, headers: headers, body: [], timeout: timeout)
    }

    public static func post(
        _ port: UInt16, _ path: String, body: String = "", headers: [String: String] = [:], timeout: Double = 10
    ) throws -> Answer {
        try request("POST", port, path, headers: headers, body: Array(body.utf8), timeout: timeout)
    }

    /// As a form or query value.
    public static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private static func request(
        _ method: String, _ port: UInt16, _ path: String, headers: [String: String], body: [UInt8], timeout: Double
    ) throws -> Answer {
        let descriptor = try Loopback.connect(port: port, timeout: timeout)
        defer { close(descriptor) }
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
        if method != "GET" { head += "Content-Length: \(body.count)\r\n" }
        guard Loopback.send(Array("\(head)\r\n".utf8) + body, to: descriptor) else {
            throw FixtureError("\(method) \(path): the server closed while it was asked")
        }
        return try answer(from: descriptor, to: "\(method) \(path)")
    }

    private static func answer(from descriptor: Int32, to request: String) throws -> Answer {
        var bytes: [UInt8] = []
        var head: HTTPHead?
        while true {
            if head == nil { head = HTTPHead.take(from: &bytes) }
            if let head, let body = complete(bytes, head) { return answer(head, body) }
            let more = Loopback.receive(from: descriptor)
            if more.isEmpty { break }
            bytes += more
        }
        guard let head, head.contentLength == nil, !head.isChunked else {
            throw FixtureError("\(request): no whole answer, \(bytes.count) bytes")
        }
        return answer(head, bytes)
    }

    private static func complete(_ bytes: [UInt8], _ head: HTTPHead) -> [UInt8]? {
        if head.firstLine.dropFirst().first == "204" { return [] }
        if head.isChunked { return HTTPChunks.decode(bytes) }
        guard let length = head.contentLength, bytes.count >= length else { return nil }
        return Array(bytes.prefix(length))
    }

    private static func answer(_ head: HTTPHead, _ body: [UInt8]) -> Answer {
        let status = head.firstLine.dropFirst().first.flatMap { Int($0) } ?? 0
        return Answer(status: status, headers: head.headers, body: body)
    }
}
