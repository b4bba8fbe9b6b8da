import Glibc
package import Platform

/// Why there is no HTTP server; written for who set it up.
package enum ServerError: Error, CustomStringConvertible, Sendable {
    case badAddress(String)
    case portInUse(UInt16)
    case portNotPermitted(UInt16)
    case noSuchAddress(String)
    case cannotListen(String, UInt16, SystemError)
    /// libmicrohttpd did not start on a socket that listens.
    case cannotStart

    init(bindError code: Int32, address: String, port: UInt16) {
        self =
            switch code {
            case EADDRINUSE: .portInUse(port)
            case EACCES: .portNotPermitted(port)
            case EADDRNOTAVAIL: .noSuchAddress(address)
            default: .cannotListen(address, port, SystemError("bind", code))
            }
    }

    package var description: String {
        switch self {
        case .badAddress(let address):
            "BIND_ADDRESS \"\(address)\" is not an IPv4 or IPv6 address: use 127.0.0.1, 0.0.0.0, ::1 or ::"
        case .portInUse(let port):
            "port \(port) is in use by another program: stop it, or set SERVICE_PORT to a free port"
        case .portNotPermitted(let port):
            "port \(port) needs privileges: set SERVICE_PORT to 1024 or above"
        case .noSuchAddress(let address):
            "this machine has no address \(address): set BIND_ADDRESS to one of its own, or to 0.0.0.0"
        case .cannotListen(let address, let port, let error):
            "cannot listen on \(address) port \(port): \(error)"
        case .cannotStart:
            "the HTTP library did not start: is the process out of memory or file descriptors?"
        }
    }
}
