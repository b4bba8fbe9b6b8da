import AdapterABI

/// Why a call failed: a code that the host acts on, and one line for a person.
public struct AdapterError: Error, Sendable {
    /// The codes of `meter_adapter.h`; below 100 the host tries again, from 100 on it waits for a person.
    public enum Code: Int32, Sendable {
        case unreachable = 1
        case timeout = 2
        case unavailable = 3
        case rateLimited = 4
        case unauthorized = 5
        case badData = 6
        case noData = 7
        case rationed = 8
        case cancelled = 9
        case tooLarge = 10
        case notFound = 11
        case bufferTooSmall = 12
        case tlsFailed = 13
        case invalid = 14
        case failed = 15
        case misconfigured = 100
        case credentialsRefused = 101
        case loginRequired = 102
        case unsupported = 103
    }

    public var code: Code
    /// What is wrong, where, and what to do. No secrets.
    public var message: String
    /// The earliest sensible retry from now; 0 = the host decides.
    public var retryAfterSeconds: Double

    public init(_ code: Code, _ message: String, retryAfterSeconds: Double = 0) {
        self.code = code
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// Fills in what the caller offers, and answers the code.
    func store(in target: UnsafeMutablePointer<meter_error>?) -> Int32 {
        guard let target = unsafe target else { return code.rawValue }
        let bytes = message.utf8Prefix(488)
        unsafe target.pointee.code = code.rawValue
        unsafe target.pointee.retry_after_ns = Nanoseconds.of(seconds: retryAfterSeconds)
        unsafe target.pointee.message_length = UInt32(bytes.count)
        unsafe withUnsafeMutableBytes(of: &target.pointee.message) { buffer in
            unsafe buffer.copyBytes(from: bytes)
        }
        return code.rawValue
    }

    /// What a host service answered.
    init(code: Int32, _ error: meter_error) {
        self.code = Code(rawValue: code) ?? .failed
        let length = min(Int(error.message_length), 488)
        message = unsafe withUnsafeBytes(of: error.message) { bytes in
            unsafe String(decoding: bytes.prefix(length), as: UTF8.self)
        }
        retryAfterSeconds = Double(error.retry_after_ns) / 1e9
    }
}

enum Nanoseconds {
    /// Clamped to what the interface can carry; 0 for anything that is no time.
    static func of(seconds: Double) -> Int64 {
        guard seconds.isFinite, seconds > 0 else { return 0 }
        return Int64(exactly: (seconds * 1e9).rounded()) ?? .max
    }
}
