import CCrypto

/// The one-time codes of an authenticator app: TOTP (RFC 6238) with HMAC-SHA1 and steps of 30 s, which all such apps
/// take for granted.
struct OneTimeCode: Sendable {
    /// Shared with the server.
    private let secret: [UInt8]

    private static let stepSeconds: Int64 = 30
    /// An HMAC's key is not longer than that anywhere.
    private static let longestSecret = 1024

    init(secret: [UInt8]) { self.secret = secret }

    /// - Parameter base32: as apps show it (RFC 4648): groups, lower case and padding do not matter. Nil where it is none.
    init?(base32: String) {
        guard base32.utf8.count <= Self.longestSecret, let secret = Self.decoded(base32), !secret.isEmpty else {
            return nil
        }
        self.secret = secret
    }

    /// - Parameters:
    ///   - seconds: since the epoch.
    ///   - digits: 1 to 9.
    func code(at seconds: Int64, digits: Int = 6) -> String {
        let step = UInt64(max(0, seconds) / Self.stepSeconds)
        let message = (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * UInt64($0))) }
        var mac = [UInt8](repeating: 0, count: 20)
        // The buffer has SHA-1's 20 bytes; the secret is short.
        _ = unsafe HMAC(EVP_sha1(), secret, Int32(clamping: secret.count), message, message.count, &mac, nil)
        // RFC 4226, section 5.3.
        let offset = Int(mac[19] & 0x0F)
        let word = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(UInt32(1)) { product, _ in product * 10 }
        let text = String(word % modulus)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    private static func decoded(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var isPadding = false
        for byte in text.utf8 {
            let value: UInt8
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "-"): continue
            case UInt8(ascii: "="):
                isPadding = true
                continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a")
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = byte - UInt8(ascii: "2") + 26
            default: return nil
            }
            guard !isPadding else { return nil }
            bits = bits << 5 | UInt32(value)
            count += 5
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            bits &= (1 << UInt32(count)) - 1
        }
        return bytes
    }
}
