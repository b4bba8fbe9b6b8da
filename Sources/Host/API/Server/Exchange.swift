/// A request while it arrives and is answered: libmicrohttpd hands it over in pieces. Lives on the http thread.
final class Exchange {
    typealias ID = UInt64

    let id: ID
    /// As in the request line: escaped, with the query.
    let target: String
    var method = ""
    /// As in the request line: `HTTP/1.1`.
    var version = ""
    /// Names in lower case.
    var headers: [(name: String, value: String)] = []
    var bodyCount = 0
    var phase = Phase.arriving

    enum Phase {
        case arriving
        /// Its head was looked at.
        case admitted(FrontDoor.Admission)
        /// The query thread works on it; the connection is suspended.
        case waiting(Connection)
        /// To be sent once the connection goes on.
        case ready(Answer)
        /// The answer is on its way.
        case answered(Answer)
    }

    /// The client's address, as the kernel writes it, without its port.
    var peer: [UInt8] = []

    init(id: ID, target: String) {
        self.id = id
        self.target = target
    }

    /// Its head announces one.
    var hasBody: Bool {
        header("transfer-encoding") != nil || header("content-length").map { $0 != "0" } ?? false
    }

    /// - Parameter name: in lower case.
    func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// Of every header of that name (in lower case).
    func values(_ name: String) -> [String] {
        headers.filter { $0.name == name }.map(\.value)
    }
}

/// What goes back to the client.
enum Answer {
    case whole(Response)
    /// The response's own body is not looked at.
    case stream(Response, BodyReader)
    /// Nothing: the connection is closed.
    case none
}
