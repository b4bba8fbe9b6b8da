import AdapterABI

/// A request that the host makes for the adapter.
public struct HTTPRequest: Sendable {
    public enum Method: UInt32, Sendable {
        case get = 0
        case post = 1
        case put = 2
        case delete = 3
    }

    /// Never sent to another host that a redirect names.
    public enum Authorization: Sendable {
        case none
        case basic(user: String, password: String)
        case digest(user: String, password: String)
        case bearer(String)
    }

    public var method: Method
    public var url: String
    public var headers: [(name: String, value: String)] = []
    public var body: String = ""
    public var authorization = Authorization.none
    /// PEM file to trust instead of the system's; empty = the system's.
    public var caFile = ""
    /// Whether what a redirect names is asked instead. Headers and a body then go there, too: false keeps them here.
    public var followsRedirects = true
    /// nil = that of the running call.
    public var deadline: Deadline?
    /// More ends the request.
    public var maximumBodyBytes: UInt64 = 4 << 20

    public init(_ method: Method, _ url: String) {
        self.method = method
        self.url = url
    }

    typealias Perform = (
        UnsafePointer<meter_http_request>, UnsafeMutablePointer<meter_http_response>, UnsafeMutablePointer<meter_error>
    ) -> Int32

    /// Makes the request through the host's function.
    func perform(_ call: Perform) throws(AdapterError) -> HTTPResponse {
        let body = BodyBuffer()
        var response = meter_http_response()
        response.struct_size = UInt32(MemoryLayout<meter_http_response>.size)
        var error = meter_error()
        error.struct_size = UInt32(MemoryLayout<meter_error>.size)
        let code = unsafe withABI(body) { request in unsafe call(request, &response, &error) }
        guard code == METER_OK else { throw AdapterError(code: code, error) }
        let typeLength = min(Int(response.content_type_length), 96)
        let contentType = unsafe withUnsafeBytes(of: response.content_type) { bytes in
            unsafe String(decoding: bytes.prefix(typeLength), as: UTF8.self)
        }
        return HTTPResponse(
            status: Int(response.status), body: body.bytes, contentType: contentType,
            retryAfterSeconds: Double(response.retry_after_ns) / 1e9)
    }

    private func withABI(_ buffer: BodyBuffer, _ call: (UnsafePointer<meter_http_request>) -> Int32) -> Int32 {
        var texts = TextArena()
        let places = (
            url: texts.add(url), body: texts.add(body), user: texts.add(credentials.user),
            secret: texts.add(credentials.secret), caFile: texts.add(caFile)
        )
        let headerPlaces = headers.map { (texts.add($0.name), texts.add($0.value)) }
        return unsafe texts.withTexts { text in
            let table = unsafe headerPlaces.map { unsafe meter_http_header(name: text($0.0), value: text($0.1)) }
            return unsafe table.withUnsafeBufferPointer { table in
                var request = unsafe meter_http_request()
                unsafe request.struct_size = UInt32(MemoryLayout<meter_http_request>.size)
                unsafe request.method = method.rawValue
                unsafe request.url = unsafe text(places.url)
                unsafe request.headers = table.baseAddress
                unsafe request.header_count = UInt32(table.count)
                unsafe request.header_stride = UInt32(MemoryLayout<meter_http_header>.stride)
                unsafe request.body = unsafe text(places.body)
                unsafe request.auth = credentials.kind
                unsafe request.flags = followsRedirects ? 0 : METER_HTTP_NO_REDIRECTS
                unsafe request.user = unsafe text(places.user)
                unsafe request.secret = unsafe text(places.secret)
                unsafe request.ca_file = unsafe text(places.caFile)
                unsafe request.deadline_ns = deadline?.monotonic ?? 0
                unsafe request.max_body_bytes = maximumBodyBytes
                unsafe request.body_context = Unmanaged.passUnretained(buffer).toOpaque()
                unsafe request.on_body = appendBody
                return unsafe withUnsafePointer(to: request) { unsafe call($0) }
            }
        }
    }

    private var credentials: (kind: UInt32, user: String, secret: String) {
        switch authorization {
        case .none: (METER_AUTH_NONE, "", "")
        case .basic(let user, let password): (METER_AUTH_BASIC, user, password)
        case .digest(let user, let password): (METER_AUTH_DIGEST, user, password)
        case .bearer(let token): (METER_AUTH_BEARER, "", token)
        }
    }
}

/// What a server answered.
public struct HTTPResponse: Sendable {
    public var status: Int
    public var body: [UInt8]
    public var contentType: String
    /// From Retry-After; 0 = none.
    public var retryAfterSeconds: Double

    /// What a status means that the adapter has no words of its own for.
    /// - Parameters:
    ///   - place: the address that was asked, without secrets.
    ///   - setting: the variable that says the address.
    public func refusal(of place: String, setting: String = "its address") -> AdapterError {
        switch status {
        case 300..<400:
            AdapterError(.badData, "\(place) is elsewhere now (\(status)): set \(setting) to where it leads")
        case 429:
            AdapterError(.rateLimited, "\(place) asks for fewer requests", retryAfterSeconds: retryAfterSeconds)
        case 500...:
            AdapterError(.unavailable, "\(place) answered \(status)", retryAfterSeconds: retryAfterSeconds)
        default: AdapterError(.badData, "\(place) answered \(status), which makes no sense")
        }
    }
}

/// Collects the body of a running request.
private final class BodyBuffer {
    var bytes: [UInt8] = []
}

/// Called by the host from within `perform`, on the same thread; the buffer outlives that call.
private func appendBody(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let context = unsafe context, let bytes = unsafe bytes else { return 1 }
    let buffer = unsafe Unmanaged<BodyBuffer>.fromOpaque(context).takeUnretainedValue()
    unsafe buffer.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
    return 0
}
