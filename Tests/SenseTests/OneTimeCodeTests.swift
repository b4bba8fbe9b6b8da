import Testing

@testable import SenseAdapter

/// One-time codes against the vectors of RFC 6238, appendix B (SHA-1).
@Suite struct OneTimeCodeTests {
    @Test(arguments: [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ])
    func `the codes of the RFC`(seconds: Int64, code: String) throws {
        let codes = OneTimeCode(secret: Array("12345678901234567890".utf8))
        #expect(codes.code(at: seconds, digits: 8) == code)
        #expect(codes.code(at: seconds) == code.suffix(6))
    }

    @Test(arguments: [
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
        "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ====",
    ])
    func `a secret may be written as apps show it`(secret: String) throws {
        #expect(try #require(OneTimeCode(base32: secret)).code(at: 59, digits: 8) == "94287082")
    }

    /// RFC 4648, section 10: each length of the last group.
    @Test(arguments: [
        ("MY======", "f"), ("MZXQ====", "fo"), ("MZXW6===", "foo"), ("MZXW6YQ=", "foob"), ("MZXW6YTB", "fooba"),
        ("MZXW6YTBOI======", "foobar"),
    ])
    func `base32 of every length`(encoded: String, decoded: String) throws {
        let codes = try #require(OneTimeCode(base32: encoded))
        #expect(codes.code(at: 59) == OneTimeCode(secret: Array(decoded.utf8)).code(at: 59))
    }

    @Test(arguments: [
        "", "====", "GEZD1", "GEZD0", "otpauth://totp/x", "GE=ZD", "Ä", String(repeating: "A", count: 2000),
    ])
    func `what is no secret is refused`(secret: String) {
        #expect(OneTimeCode(base32: secret) == nil)
    }
}
