/// A valid request, damaged at random.
public enum MalformedRequest {
    private static let seeds = [
        "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /consumption?a=%zz&b=%00 HTTP/1.1\r\nHost: [::1]:80\r\nAccept: */*\r\n\r\n",
        "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
        "POST /live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "HEAD http://localhost/health HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
    ]

    public static func make(_ random: inout SeededRandom) -> [UInt8] {
        var bytes = Array(seeds[Int.random(in: 0..<seeds.count, using: &random)].utf8)
        for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
            case 3: bytes.removeSubrange(place...)
            default:
                let count = Int.random(in: 0..<3000, using: &random)
                bytes.insert(contentsOf: [UInt8](repeating: bytes[place], count: count), at: place)
            }
        }
        return bytes
    }
}
