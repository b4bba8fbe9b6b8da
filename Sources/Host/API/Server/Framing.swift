/// Whether two programs could read a request's head in two ways (RFC 9112, 3.2, 5.1 and 6.3): what one takes for the body
/// of a request, another behind the same proxy would take for the next request.
enum Framing {
    /// What is wrong with it; nil = nothing.
    static func fault(of exchange: Exchange) -> String? {
        guard exchange.headers.allSatisfy({ isToken($0.name) }) else { return "A header's name is no name." }
        let hosts = exchange.values("host")
        if hosts.count > 1 { return "There is more than one Host." }
        if hosts.isEmpty, exchange.version == "HTTP/1.1" { return "There is no Host." }
        let lengths = exchange.values("content-length")
        if lengths.count > 1 { return "There is more than one Content-Length." }
        if let length = lengths.first, length.isEmpty || !length.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return "Content-Length is no number."
        }
        let encodings = exchange.values("transfer-encoding")
        guard !encodings.isEmpty else { return nil }
        if encodings.map({ $0.lowercased() }) != ["chunked"] { return "Transfer-Encoding is not chunked alone." }
        return lengths.isEmpty ? nil : "There is a Content-Length beside a Transfer-Encoding."
    }

    /// - Parameter name: in lower case.
    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
