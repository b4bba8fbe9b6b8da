import AdapterKit
import CCrypto

/// A non-negative whole number of any size, by libcrypto; wiped when it goes.
@safe
struct BigNumber: ~Copyable {
    // Made in init, freed in deinit; never leaves this file.
    private let number: OpaquePointer

    private init() throws(AdapterError) {
        guard let number = unsafe BN_new() else { throw Self.failure }
        unsafe self.number = number
    }

    /// Big-endian.
    init(bytes: [UInt8]) throws(AdapterError) {
        guard let number = unsafe BN_bin2bn(bytes, Int32(clamping: bytes.count), nil) else { throw Self.failure }
        unsafe self.number = number
    }

    /// - Parameter hex: digits of either case; anything else is no number.
    init(hex: String) throws(AdapterError) {
        guard let bytes = Hexadecimal.bytes(hex.utf8.count.isMultiple(of: 2) ? hex : "0" + hex) else {
            throw Self.failure
        }
        try self.init(bytes: bytes)
    }

    deinit { unsafe BN_clear_free(number) }

    var isZero: Bool { unsafe BN_is_zero(number) == 1 }

    /// Lower case, without leading zeros.
    var hex: String {
        var bytes = [UInt8](repeating: 0, count: (Int(unsafe BN_num_bits(number)) + 7) / 8)
        unsafe BN_bn2bin(number, &bytes)
        let digits = Hexadecimal.text(bytes).drop { $0 == "0" }
        return digits.isEmpty ? "0" : String(digits)
    }

    /// self ^ exponent mod modulus, in a time that does not tell the exponent. The modulus is odd.
    func power(_ exponent: borrowing BigNumber, modulo modulus: borrowing BigNumber) throws(AdapterError) -> BigNumber {
        unsafe BN_set_flags(exponent.number, BN_FLG_CONSTTIME)
        let base = try remainder(modulo: modulus)
        return try unsafe Self.make { result, scratch in
            unsafe BN_mod_exp(result, base.number, exponent.number, modulus.number, scratch)
        }
    }

    func times(_ other: borrowing BigNumber) throws(AdapterError) -> BigNumber {
        try unsafe Self.make { result, scratch in unsafe BN_mul(result, number, other.number, scratch) }
    }

    func plus(_ other: borrowing BigNumber) throws(AdapterError) -> BigNumber {
        try unsafe Self.make { result, _ in unsafe BN_add(result, number, other.number) }
    }

    /// self - other mod modulus, not negative.
    func minus(_ other: borrowing BigNumber, modulo modulus: borrowing BigNumber) throws(AdapterError) -> BigNumber {
        try unsafe Self.make { result, scratch in
            unsafe BN_mod_sub(result, number, other.number, modulus.number, scratch)
        }
    }

    func remainder(modulo modulus: borrowing BigNumber) throws(AdapterError) -> BigNumber {
        try unsafe Self.make { result, scratch in unsafe BN_nnmod(result, number, modulus.number, scratch) }
    }

    /// - Parameter body: stores its result in the first number, and answers 1 where it did.
    private static func make(
        _ body: (OpaquePointer, OpaquePointer) -> Int32
    ) throws(AdapterError) -> BigNumber {
        guard let scratch = unsafe BN_CTX_new() else { throw failure }
        defer { unsafe BN_CTX_free(scratch) }
        let result = try BigNumber()
        guard unsafe body(result.number, scratch) == 1 else { throw failure }
        return result
    }

    private static var failure: AdapterError { AdapterError(.failed, "libcrypto cannot calculate the login") }
}

/// Bytes as pairs of digits.
enum Hexadecimal {
    /// Nil where there is anything but pairs of hexadecimal digits.
    static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in text.utf8 {
            let value: UInt8
            switch digit {
            case 0x30...0x39: value = digit - 0x30
            case 0x41...0x46: value = digit - 0x41 + 10
            case 0x61...0x66: value = digit - 0x61 + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? bytes : nil
    }

    /// Lower case.
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
