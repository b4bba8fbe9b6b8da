import Testing

@testable import Transfer

@Suite struct ServerNameTests {
    @Test(arguments: [
        ("http://influxdb:8086/write?db=x", "influxdb:8086"), ("https://user:pass@host/path", "host"),
        ("http://user:pa/ss@host:80/", "host:80"), ("http://[::1]:8086", "[::1]:8086"), ("http://", "the server"),
        ("https://host?token=secret@x", "host"),
    ])
    func `messages name the server and never the credentials`(url: String, server: String) {
        #expect(HTTPClient.server(of: url) == server)
    }
}
