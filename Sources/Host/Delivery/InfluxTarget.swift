import Transfer

/// Which of InfluxDB's write interfaces a server speaks.
package enum InfluxAPI: String, Sendable {
    case v1
    case v2
    case v3
}

/// Who we are to the server; re-read when it refuses us, and with a reload.
package struct InfluxCredentials: Hashable, Sendable {
    package var token: String?
    package var username: String?
    package var password: String?

    package init(token: String?, username: String?, password: String?) {
        self.token = token
        self.username = username
        self.password = password
    }
}

/// Where points are delivered.
package struct InfluxTarget: Sendable {
    /// Without a slash at its end.
    let url: String
    let organisation: String
    /// Bucket or database.
    package let bucket: String
    /// Nil = find out.
    let api: InfluxAPI?
    let caFile: String

    package init(url: String, organisation: String, bucket: String, api: InfluxAPI?, caFile: String) {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        self.url = url
        self.organisation = organisation
        self.bucket = bucket
        self.api = api
        self.caFile = caFile
    }

    /// Scheme, host and port: for people. Never credentials.
    package var label: String {
        let scheme = url.hasPrefix("https://") ? "https" : "http"
        return "\(scheme)://\(HTTPClient.server(of: url))"
    }

    /// A write of `body` in nanoseconds: v3 would guess the precision from the size of the number.
    func write(_ body: [UInt8], api: InfluxAPI, credentials: InfluxCredentials) -> HTTPRequest {
        let bucket = Self.encoded(bucket)
        let path =
            switch api {
            case .v1: "/write?db=\(bucket)&precision=ns"
            case .v2: "/api/v2/write?org=\(Self.encoded(organisation))&bucket=\(bucket)&precision=ns"
            case .v3: "/api/v3/write_lp?db=\(bucket)&precision=nanosecond&accept_partial=true&no_sync=false"
            }
        var request = request(.post, path, api: api, credentials: credentials)
        request.headers.append(("Content-Type", "text/plain; charset=utf-8"))
        request.body = body
        return request
    }

    func probe(_ path: String, api: InfluxAPI, credentials: InfluxCredentials) -> HTTPRequest {
        request(.get, path, api: api, credentials: credentials)
    }

    private func request(
        _ method: HTTPRequest.Method, _ path: String, api: InfluxAPI, credentials: InfluxCredentials
    ) -> HTTPRequest {
        var request = HTTPRequest(method, url + path)
        request.caFile = caFile
        // A write that is answered by a redirect is a wrong address, not an invitation.
        request.followsRedirects = false
        request.maximumBodyBytes = 1 << 20
        switch (api, credentials.token, credentials.username) {
        case (.v3, let token?, _): request.authorization = .bearer(token)
        case (_, let token?, _): request.headers.append(("Authorization", "Token \(token)"))
        case (_, nil, let username?):
            request.authorization = .basic(user: username, password: credentials.password ?? "")
        case (_, nil, nil): break
        }
        return request
    }

    /// Percent-encoding of a query's value.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isPlain =
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte)
            if isPlain { bytes.append(byte) } else { bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What `/ping`'s answer tells of the interface; nil = nothing.
    static func api(fromPing response: HTTPResponse) -> InfluxAPI? {
        let version = response.headers["x-influxdb-version"] ?? ""
        if version.hasPrefix("1.") { return .v1 }
        if version.hasPrefix("v2.") || version.hasPrefix("2.") { return .v2 }
        if version.hasPrefix("v3.") || version.hasPrefix("3.") { return .v3 }
        let body = String(decoding: response.body.prefix(4096), as: UTF8.self).filter { !$0.isWhitespace }
        if body.contains("\"version\":\"3.") || body.contains("\"version\":\"v3.") { return .v3 }
        if body.contains("\"version\":\"v2.") || body.contains("\"version\":\"2.") { return .v2 }
        return nil
    }
}
