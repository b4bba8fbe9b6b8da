import AdapterKit
import Foundation
import TestSupport
import Testing

@testable import EmporiaAdapter

/// The login's arithmetic, against cases that pycognito has worked out.
@Suite struct HandshakeTests {
    private struct Cases: Decodable {
        var vectors: [Case]
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var why: [String]
        var pool_id: String
        var user_id_for_srp: String
        var password: String
        var small_a_hex: String
        var srp_a_hex: String
        var salt_hex: String
        var srp_b_hex: String
        var hkdf_hex: String
        var secret_block: String
        var timestamp: String
        var signature: String
        var testDescription: String { why.joined(separator: ", ") }
        var pool: String { String(pool_id.split(separator: "_").last ?? "") }
        var challenge: SRPHandshake.Challenge {
            .init(userID: user_id_for_srp, salt: salt_hex, serverValue: srp_b_hex, secretBlock: secret_block)
        }
    }

    static let cases: [Case] = {
        let file = Checkout.root.appendingPathComponent("Tests/EmporiaTests/Fixtures/cognito-srp-vectors.json")
        return (try? JSONDecoder().decode(Cases.self, from: Data(contentsOf: file)).vectors) ?? []
    }()

    private func handshake(_ hex: String) throws -> SRPHandshake {
        try SRPHandshake(secret: try #require(Hexadecimal.bytes(hex.count % 2 == 0 ? hex : "0" + hex)))
    }

    @Test func `there are five worked cases`() {
        #expect(Self.cases.count == 5)
    }

    @Test(arguments: cases) func `a worked case matches to the byte`(_ worked: Case) throws {
        let handshake = try handshake(worked.small_a_hex)
        let publicValue = handshake.publicValue
        #expect(publicValue == worked.srp_a_hex)
        let key = try handshake.key(worked.challenge, pool: worked.pool, password: worked.password)
        #expect(Hexadecimal.text(key) == worked.hkdf_hex)
        let signature = try handshake.signature(
            worked.challenge, pool: worked.pool, password: worked.password, timestamp: worked.timestamp)
        #expect(signature == worked.signature)
    }

    @Test(
        arguments: [
            ("serverValue", ""), ("serverValue", "00"), ("serverValue", "xyz"), ("serverValue", "-1"),
            ("serverValue", String(repeating: "f", count: 2000)), ("salt", "zz"), ("salt", "é"),
            ("salt", String(repeating: "1", count: 5000)), ("secretBlock", "no base 64"), ("secretBlock", "===="),
            ("secretBlock", "A==="),
        ])
    func `a challenge that makes no sense is refused`(field: String, value: String) throws {
        let worked = try #require(Self.cases.first)
        var challenge = worked.challenge
        switch field {
        case "serverValue": challenge.serverValue = value
        case "salt": challenge.salt = value
        default: challenge.secretBlock = value
        }
        let handshake = try handshake(worked.small_a_hex)
        do {
            _ = try handshake.signature(challenge, pool: "x", password: "y", timestamp: "z")
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .badData)
        }
    }

    @Test func `a server value that is the group's prime, which would give the password away, is refused`() throws {
        let worked = try #require(Self.cases.first)
        let handshake = try handshake(worked.small_a_hex)
        var challenge = worked.challenge
        challenge.serverValue = SRPHandshake.prime
        do {
            _ = try handshake.key(challenge, pool: "x", password: "y")
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .badData)
        }
    }

    @Test(arguments: ["", "a", "ab", "abc", "\0\u{1}\u{2}\u{3}", "Küche 😀"])
    func `base 64 is read as it is written`(text: String) {
        let bytes = Array(text.utf8)
        #expect(Base64.text(bytes) == Data(bytes).base64EncodedString())
        #expect(Base64.bytes(Base64.text(bytes)) == bytes)
    }

    @Test(
        arguments: [
            (1_767_596_889, "Mon Jan 5 07:08:09 UTC 2026"), (1_795_501_293, "Tue Nov 24 06:21:33 UTC 2026"),
            (1_709_164_800, "Thu Feb 29 00:00:00 UTC 2024"),
        ] as [(Int64, String)])
    func `a timestamp is English, without a zero before the day`(seconds: Int64, text: String) {
        #expect(Cognito.timestamp(seconds * 1_000_000_000) == text)
    }
}
