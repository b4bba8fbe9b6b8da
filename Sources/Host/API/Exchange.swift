/// A request while it arrives: libmicrohttpd hands it over in pieces. Lives on the http thread.
final class Exchange {
    /// As in the request line: escaped, with the query.
    let target: String
    var method = ""
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    var hasHead = false

    init(target: String) {
        self.target = target
    }

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }
}
