import AdapterKit

/// The secure remote password protocol as Amazon Cognito does it: the password proves itself without being sent.
///
/// Source: pycognito's `aws_srp.py` (https://github.com/NabuCasa/pycognito); the group is that of 3072 bits of RFC 3526.
struct SRPHandshake: ~Copyable {
    /// What the server answers to `publicValue`.
    struct Challenge: Sendable {
        var userID: String
        /// Hexadecimal, as sent.
        var salt: String
        var serverValue: String
        /// Base 64.
        var secretBlock: String
    }

    private let group: BigNumber
    private let secret: BigNumber
    private let publicNumber: BigNumber

    /// - Parameter secret: 128 bytes that nobody can foretell.
    init(secret: [UInt8]) throws(AdapterError) {
        let group = try BigNumber(hex: Self.prime)
        let number = try BigNumber(bytes: secret).remainder(modulo: group)
        let publicNumber = try BigNumber(bytes: [2]).power(number, modulo: group)
        self.group = group
        self.secret = number
        self.publicNumber = publicNumber
    }

    /// `SRP_A`.
    var publicValue: String { publicNumber.hex }

    /// `PASSWORD_CLAIM_SIGNATURE`, base 64.
    ///
    /// - Parameters:
    ///   - pool: name of the user pool behind its `_`.
    ///   - timestamp: `TIMESTAMP`, as it is sent.
    func signature(
        _ challenge: Challenge, pool: String, password: String, timestamp: String
    ) throws(AdapterError) -> String {
        guard let block = Base64.bytes(challenge.secretBlock) else { throw Self.nonsense }
        let key = try key(challenge, pool: pool, password: password)
        let message = Array(pool.utf8) + Array(challenge.userID.utf8) + block + Array(timestamp.utf8)
        return Base64.text(try Digest.hmac(message, key: key))
    }

    /// 16 bytes that both sides can calculate.
    func key(_ challenge: Challenge, pool: String, password: String) throws(AdapterError) -> [UInt8] {
        guard challenge.serverValue.utf8.count <= 1024, challenge.salt.utf8.count <= 1024,
            Hexadecimal.bytes(Self.padded(challenge.serverValue)) != nil
        else { throw Self.nonsense }
        let server = try BigNumber(hex: challenge.serverValue)
        guard try !server.remainder(modulo: group).isZero else { throw Self.nonsense }
        let scrambling = try BigNumber(
            bytes: try Digest.sha256(try Self.bytes(Self.padded(publicValue) + Self.padded(server.hex))))
        let inner = Hexadecimal.text(try Digest.sha256(Array("\(pool)\(challenge.userID):\(password)".utf8)))
        let outer = try Digest.sha256(try Self.bytes(Self.padded(challenge.salt) + inner))
        let shared = try sharedSecret(server, scrambling: scrambling, password: try BigNumber(bytes: outer))
        let extracted = try Digest.hmac(
            try Self.bytes(Self.padded(shared)), key: try Self.bytes(Self.padded(scrambling.hex)))
        return Array(try Digest.hmac(Array("Caldera Derived Key".utf8) + [1], key: extracted).prefix(16))
    }

    /// S = (B - k * g^x) ^ (a + u * x) mod N, hexadecimal.
    private func sharedSecret(
        _ server: borrowing BigNumber, scrambling: borrowing BigNumber, password: borrowing BigNumber
    ) throws(AdapterError) -> String {
        guard !scrambling.isZero else { throw Self.nonsense }
        let multiplier = try BigNumber(bytes: try Digest.sha256(try Self.bytes("00" + Self.prime + "02")))
        let verifier = try BigNumber(bytes: [2]).power(password, modulo: group)
        let base = try server.minus(try multiplier.times(verifier), modulo: group)
        let exponent = try secret.plus(try scrambling.times(password))
        return try base.power(exponent, modulo: group).hex
    }

    /// Whole bytes, of which the first does not look like that of a negative number.
    static func padded(_ hex: String) -> String {
        guard hex.utf8.count.isMultiple(of: 2) else { return "0" + hex }
        return hex.first.map { "89ABCDEFabcdef".contains($0) } ?? false ? "00" + hex : hex
    }

    private static func bytes(_ hex: String) throws(AdapterError) -> [UInt8] {
        guard let bytes = Hexadecimal.bytes(hex) else { throw nonsense }
        return bytes
    }

    private static var nonsense: AdapterError {
        AdapterError(.badData, "the login server's challenge makes no sense")
    }

    static let prime =
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
        + "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
        + "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
        + "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
        + "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
        + "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
        + "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
        + "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
}
