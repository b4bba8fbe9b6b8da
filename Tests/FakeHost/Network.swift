import AdapterABI
import Platform
import Transfer

/// The real network for a fake host: the HTTP client that the host ships with.
public enum Network {
    @Sendable public static func perform(_ request: FakeRequest) -> FakeAnswer {
        let second: Int64 = 1_000_000_000
        let deadline = request.deadline > 0 ? request.deadline : Clock.monotonic() + 10 * second
        do throws(TransferError) {
            let answer = try HTTPClient(userAgent: "test").perform(HTTPRequest(request), until: deadline)
            return .answer(
                status: Int32(answer.status), contentType: answer.contentType,
                retryAfterSeconds: answer.retryAfter / second, body: String(decoding: answer.body, as: UTF8.self))
        } catch {
            return .failure(code: code(error.kind), message: error.message)
        }
    }

    private static func code(_ kind: TransferError.Kind) -> Int32 {
        switch kind {
        case .unreachable: METER_UNREACHABLE
        case .timeout: METER_TIMEOUT
        case .tls: METER_TLS_FAILED
        case .tooLarge: METER_TOO_LARGE
        case .cancelled: METER_CANCELLED
        case .invalid: METER_INVALID
        }
    }
}

extension HTTPRequest {
    fileprivate init(_ request: FakeRequest) {
        self.init(request.method == METER_HTTP_POST ? .post : .get, request.url)
        headers = request.headers.map { ($0.key, $0.value) }
        body = Array(request.body.utf8)
        followsRedirects = request.followsRedirects
        switch request.authorization {
        case METER_AUTH_BASIC: authorization = .basic(user: request.user, password: request.secret)
        case METER_AUTH_DIGEST: authorization = .digest(user: request.user, password: request.secret)
        case METER_AUTH_BEARER: authorization = .bearer(request.secret)
        default: authorization = .none
        }
    }
}
