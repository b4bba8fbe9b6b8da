import AdapterKit
import CCrypto

/// SHA-256 and what is made of it, by libcrypto.
enum Digest {
    static func sha256(_ bytes: [UInt8]) throws(AdapterError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        guard unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else { throw failure }
        return digest
    }

    static func hmac(_ message: [UInt8], key: [UInt8]) throws(AdapterError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        guard unsafe HMAC(EVP_sha256(), key, Int32(clamping: key.count), message, message.count, &code, nil) != nil
        else { throw failure }
        return code
    }

    /// Bytes that nobody can foretell.
    static func random(_ count: Int) throws(AdapterError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe RAND_bytes(&bytes, Int32(clamping: count)) == 1 else { throw failure }
        return bytes
    }

    private static var failure: AdapterError { AdapterError(.failed, "libcrypto does not work") }
}

/// Base 64 (RFC 4648), with padding.
enum Base64 {
    /// Nil where it is none.
    static func bytes(_ text: String) -> [UInt8]? {
        let text = Array(text.utf8)
        guard text.count.isMultiple(of: 4), text.count <= 65_536 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3)
        let count = unsafe EVP_DecodeBlock(&bytes, text, Int32(text.count))
        guard count == bytes.count, !text.dropLast(padding).contains(UInt8(ascii: "=")) else { return nil }
        return bytes.dropLast(padding)
    }

    static func text(_ bytes: [UInt8]) -> String {
        // libcrypto ends it with a NUL.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = unsafe EVP_EncodeBlock(&text, bytes, Int32(clamping: bytes.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }
}
