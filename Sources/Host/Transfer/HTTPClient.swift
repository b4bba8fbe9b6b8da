import CCurl
import Glibc
import Platform

/// HTTP over libcurl: one request at a time, a connection that is kept for the next one, and a wait that ends at once
/// when `interrupt` becomes readable. Confined to one thread at a time.
@safe
package final class HTTPClient {
    // Made in init, freed in deinit; libcurl's handles never leave this file.
    private let easy: OpaquePointer
    private let multi: OpaquePointer
    /// Where libcurl says what a code alone does not: which end of a certificate's time has passed, for one.
    private let words: UnsafeMutableBufferPointer<CChar>
    private let userAgent: String

    private static let connectTimeoutMilliseconds = 5000
    private static let mostRedirects = 5

    package init(userAgent: String) throws(TransferError) {
        guard Library.isReady, let easy = unsafe curl_easy_init() else {
            throw TransferError(kind: .invalid, message: "libcurl does not start")
        }
        guard let multi = unsafe curl_multi_init() else {
            unsafe curl_easy_cleanup(easy)
            throw TransferError(kind: .invalid, message: "libcurl does not start")
        }
        unsafe self.easy = OpaquePointer(easy)
        unsafe self.multi = OpaquePointer(multi)
        unsafe words = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe words.initialize(repeating: 0)
        self.userAgent = userAgent
    }

    deinit {
        unsafe curl_multi_cleanup(multiHandle)
        unsafe curl_easy_cleanup(easyHandle)
        unsafe words.deallocate()
    }

    private var easyHandle: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(easy) }
    private var multiHandle: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(multi) }

    /// One request until the last byte of its answer.
    ///
    /// - Parameters:
    ///   - deadline: monotonic nanoseconds.
    ///   - interrupt: a descriptor that ends the request when it becomes readable; -1 = none.
    package func perform(
        _ request: HTTPRequest, until deadline: Int64, interrupt: Int32 = -1
    ) throws(TransferError) -> HTTPResponse {
        let server = Self.server(of: request.url)
        let exchange = Exchange(limit: request.maximumBodyBytes, ignoresBody: request.ignoresBody)
        let headers = HeaderList(request, userAgent: userAgent)
        unsafe curl_easy_reset(easyHandle)
        try configure(request, headers, exchange, until: deadline, server)
        unsafe curl_multi_add_handle(multiHandle, easyHandle)
        let outcome = run(exchange, until: deadline, interrupt: interrupt)
        unsafe curl_multi_remove_handle(multiHandle, easyHandle)
        // The exchange and the headers are referenced by the handle until here.
        withExtendedLifetime((exchange, headers)) {}

        if exchange.isTooLarge {
            throw TransferError(
                kind: .tooLarge, message: "\(server) answered with more than \(request.maximumBodyBytes) bytes")
        }
        switch outcome {
        case .cancelled: throw TransferError(kind: .cancelled, message: "the request to \(server) was cancelled")
        case .timeout: throw TransferError(kind: .timeout, message: "\(server) did not answer in time")
        case .finished(let code): try check(code, exchange, server)
        case .enough: break
        }
        return response(exchange)
    }

    // MARK: The request

    private func configure(
        _ request: HTTPRequest, _ headers: HeaderList, _ exchange: Exchange, until deadline: Int64, _ server: String
    ) throws(TransferError) {
        let handle = unsafe easyHandle
        guard unsafe sm_curl_set_string(handle, CURLOPT_URL, request.url) == CURLE_OK,
            unsafe sm_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK
        else { throw TransferError(kind: .invalid, message: "\(server) is not an http or https address") }
        unsafe sm_curl_set_string(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        unsafe words.initialize(repeating: 0)
        unsafe sm_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, words.baseAddress)
        unsafe sm_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        // Without it a hanging name server holds a timeout up for as long as it likes.
        unsafe sm_curl_set_long(handle, CURLOPT_QUICK_EXIT, 1)
        unsafe sm_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, request.followsRedirects ? 1 : 0)
        unsafe sm_curl_set_long(handle, CURLOPT_MAXREDIRS, Self.mostRedirects)
        unsafe sm_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Self.connectTimeoutMilliseconds)
        unsafe sm_curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        unsafe sm_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headers.list.map { UnsafeMutableRawPointer($0) })
        unsafe sm_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        if request.method == .post || request.method == .put {
            unsafe sm_curl_set_long(handle, CURLOPT_POST, 1)
            unsafe sm_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            unsafe sm_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
            // COPYPOSTFIELDS copies as many bytes as the size before it says.
            unsafe request.body.withUnsafeBytes { body in
                _ = unsafe sm_curl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: body.baseAddress))
            }
        }
        if !request.caFile.isEmpty {
            guard unsafe access(request.caFile, R_OK) == 0 else {
                throw TransferError(kind: .invalid, message: "the CA file \(request.caFile) cannot be read")
            }
            unsafe sm_curl_set_string(handle, CURLOPT_CAINFO, request.caFile)
        }
        authorize(request.authorization)
        let context = unsafe Unmanaged.passUnretained(exchange).toOpaque()
        unsafe sm_curl_set_write(handle, takeBody, context)
        unsafe sm_curl_set_header(handle, takeHeader, context)
    }

    private func authorize(_ authorization: HTTPRequest.Authorization) {
        let handle = unsafe easyHandle
        switch authorization {
        case .none: break
        case .basic(let user, let password), .digest(let user, let password):
            let isBasic = if case .basic = authorization { true } else { false }
            unsafe sm_curl_set_long(handle, CURLOPT_HTTPAUTH, isBasic ? sm_curl_auth_basic() : sm_curl_auth_digest())
            unsafe sm_curl_set_string(handle, CURLOPT_USERNAME, user)
            unsafe sm_curl_set_string(handle, CURLOPT_PASSWORD, password)
        case .bearer(let token):
            unsafe sm_curl_set_long(handle, CURLOPT_HTTPAUTH, sm_curl_auth_bearer())
            unsafe sm_curl_set_string(handle, CURLOPT_XOAUTH2_BEARER, token)
        }
    }

    // MARK: The wait

    private enum Outcome {
        case finished(CURLcode)
        /// Nobody asks for the rest.
        case enough
        case timeout
        case cancelled
    }

    private func run(_ exchange: Exchange, until deadline: Int64, interrupt: Int32) -> Outcome {
        var extra = curl_waitfd(fd: interrupt, events: Int16(CURL_WAIT_POLLIN), revents: 0)
        while true {
            var running: Int32 = 0
            unsafe curl_multi_perform(multiHandle, &running)
            if exchange.ignoresBody, exchange.hasHead { return .enough }
            var left: Int32 = 0
            if let message = unsafe curl_multi_info_read(multiHandle, &left), unsafe message.pointee.msg == CURLMSG_DONE
            {
                return unsafe .finished(message.pointee.data.result)
            }
            let wait = deadline - Clock.monotonic()
            guard wait > 0 else { return .timeout }
            let milliseconds = Int32(clamping: (wait + 999_999) / 1_000_000)
            extra.revents = 0
            unsafe curl_multi_poll(multiHandle, &extra, interrupt >= 0 ? 1 : 0, milliseconds, nil)
            if interrupt >= 0, extra.revents != 0 { return .cancelled }
        }
    }

    // MARK: The answer

    /// Whether the last request got as far as a server.
    private var isConnected: Bool {
        var port = 0
        unsafe sm_curl_get_long(easyHandle, CURLINFO_PRIMARY_PORT, &port)
        return port > 0
    }

    private func check(_ code: CURLcode, _ exchange: Exchange, _ server: String) throws(TransferError) {
        guard code != CURLE_OK else { return }
        let general = unsafe String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            throw TransferError(kind: .timeout, message: "\(server) did not answer in time")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
            let detail = unsafe words.baseAddress.map { unsafe String(cString: $0) } ?? ""
            throw TransferError(kind: .tls, message: "\(server): TLS: \(detail.isEmpty ? general : detail)")
        case CURLE_UNSUPPORTED_PROTOCOL where isConnected:
            throw TransferError(kind: .unreachable, message: "\(server) does not answer in HTTP")
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            throw TransferError(kind: .invalid, message: "\(server) is not an http or https address")
        default:
            throw TransferError(kind: .unreachable, message: "cannot reach \(server): \(general)")
        }
    }

    private func response(_ exchange: Exchange) -> HTTPResponse {
        var status = 0
        unsafe sm_curl_get_long(easyHandle, CURLINFO_RESPONSE_CODE, &status)
        var seconds: curl_off_t = 0
        unsafe sm_curl_get_offset(easyHandle, CURLINFO_RETRY_AFTER, &seconds)
        var response = HTTPResponse()
        response.status = status
        response.body = exchange.body
        response.headers = exchange.headers
        response.contentType = exchange.headers["content-type"] ?? ""
        // More than a day is no pause but an error of the server's.
        response.retryAfter = Int64(min(max(0, seconds), 86400)) * 1_000_000_000
        return response
    }

    /// `host:port` of a URL, for messages: credentials, path and query stay out. A password with a slash in it, which
    /// no URL may have, ends at its "@" all the same.
    package static func server(of url: String) -> String {
        let rest = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        let withoutQuery = rest.prefix { $0 != "?" && $0 != "#" }
        let afterUser = withoutQuery.split(separator: "@", omittingEmptySubsequences: false).last ?? withoutQuery
        let server = afterUser.prefix { $0 != "/" }
        return server.isEmpty ? "the server" : String(server)
    }
}

/// libcurl is initialised once a process, before its first handle.
private enum Library {
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}

/// libcurl's list of headers, freed with this object.
@safe
private final class HeaderList {
    let list: UnsafeMutablePointer<curl_slist>?

    init(_ request: HTTPRequest, userAgent: String) {
        var list = unsafe curl_slist_append(nil, "User-Agent: \(userAgent)")
        // A server that does not know "100 Continue" would cost a second.
        unsafe list = unsafe curl_slist_append(list, "Expect:")
        for header in request.headers where Self.isSafe(header.name) && Self.isSafe(header.value) {
            unsafe list = unsafe curl_slist_append(list, "\(header.name): \(header.value)")
        }
        unsafe self.list = unsafe list
    }

    deinit {
        unsafe curl_slist_free_all(list)
    }

    /// A line end would begin another header.
    private static func isSafe(_ text: String) -> Bool { !text.utf8.contains { $0 == 10 || $0 == 13 || $0 == 0 } }
}

/// What has come in of an answer.
private final class Exchange {
    var body: [UInt8] = []
    var headers: [String: String] = [:]
    var isTooLarge = false
    /// Whether the head of the answer itself, not of an interim one, is complete.
    private(set) var hasHead = false
    let ignoresBody: Bool
    let limit: Int
    private var isInterim = false
    private var headerBytes = 0
    private static let headerLimit = 64 << 10

    init(limit: Int, ignoresBody: Bool) {
        self.limit = limit
        self.ignoresBody = ignoresBody
    }

    func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        guard !ignoresBody else { return true }
        guard body.count + bytes.count <= limit else {
            isTooLarge = true
            return false
        }
        unsafe body.append(contentsOf: bytes)
        return true
    }

    func take(header line: String, bytes: Int) -> Bool {
        headerBytes += bytes
        guard headerBytes <= Self.headerLimit else { return false }
        // A status line begins the headers of the next answer (a redirect's, or after a login).
        if line.hasPrefix("HTTP/") {
            headers = [:]
            body = []
            isInterim = line.split(separator: " ").dropFirst().first?.first == "1"
        }
        if line == "\r\n" || line == "\n", !isInterim { hasHead = true }
        guard let colon = line.firstIndex(of: ":") else { return true }
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        headers[line[..<colon].lowercased()] = String(value.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" })
        return true
    }
}

// MARK: C's way in: called by libcurl from within curl_multi_perform, on the calling thread

private func takeBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    let total = size * count
    return unsafe exchange.take(body: UnsafeRawBufferPointer(start: bytes, count: total)) ? total : -1
}

private func takeHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    let total = size * count
    let line = unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: total), as: UTF8.self)
    return exchange.take(header: line, bytes: total) ? total : -1
}
