/// A request as the adapter under test made it.
public struct FakeRequest: Sendable {
    public var method: UInt32
    public var url: String
    public var headers: [String: String]
    public var body: String
    /// METER_AUTH_...
    public var authorization: UInt32
    public var user: String
    public var secret: String
    public var caFile: String
    public var followsRedirects: Bool
    public var deadline: Int64
}

/// What the fake host says to a request.
public enum FakeAnswer: Sendable {
    case answer(status: Int32, contentType: String = "application/json", retryAfterSeconds: Int64 = 0, body: String)
    /// No answer came: a METER_... code.
    case failure(code: Int32, message: String)
}
