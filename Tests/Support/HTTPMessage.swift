import Foundation

/// The head of an HTTP message: its first line and its headers, names in lower case.
struct HTTPHead {
    let firstLine: [String]
    let headers: [String: String]

    /// Takes the head off the front of `bytes`; nil while it is not all there.
    static func take(from bytes: inout [UInt8]) -> HTTPHead? {
        let ending = Array("\r\n\r\n".utf8)
        guard let end = Data(bytes).range(of: Data(ending)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        bytes.removeFirst(end.upperBound)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1)
            guard let name = sides.first else { continue }
            headers[name.lowercased()] = sides.count > 1 ? sides[1].trimmingCharacters(in: .whitespaces) : ""
        }
        return HTTPHead(firstLine: (lines.first ?? "").components(separatedBy: " "), headers: headers)
    }

    var contentLength: Int? { headers["content-length"].flatMap { Int($0) } }
    var isChunked: Bool { headers["transfer-encoding"]?.lowercased() == "chunked" }
}

enum HTTPChunks {
    /// The whole body, once its last chunk is there.
    static func decode(_ bytes: [UInt8]) -> [UInt8]? {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let line = rest.firstIndex(of: 13), rest.count > line + 1 - rest.startIndex {
            let size = String(decoding: rest[..<line], as: UTF8.self).split(separator: ";").first ?? ""
            guard let count = Int(size, radix: 16) else { return nil }
            rest = rest[(line + 2)...]
            if count == 0 { return body }
            guard rest.count >= count + 2 else { return nil }
            body += rest.prefix(count)
            rest = rest.dropFirst(count + 2)
        }
        return nil
    }
}
