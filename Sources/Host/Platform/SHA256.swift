import CCrypto

/// SHA-256 by libcrypto, piece by piece.
@safe
package struct SHA256: ~Copyable {
    // Made in init, freed in deinit; never leaves this file.
    private let context: OpaquePointer

    package init() throws(SystemError) {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            throw SystemError("EVP_DigestInit_ex")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        _ = unsafe EVP_DigestUpdate(context, bytes, bytes.count)
    }

    /// The digest in hexadecimal; nothing may be added afterwards.
    package mutating func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        _ = unsafe EVP_DigestFinal_ex(context, &digest, nil)
        return hexadecimal(digest)
    }

    /// The HMAC of a message under a key (RFC 2104), in hexadecimal.
    package static func hmac(_ message: [UInt8], key: [UInt8]) -> String {
        var code = [UInt8](repeating: 0, count: 32)
        // libcrypto counts keys in 32 bits; a longer one than that is no key.
        _ = unsafe HMAC(EVP_sha256(), key, Int32(clamping: key.count), message, message.count, &code, nil)
        return hexadecimal(code)
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
