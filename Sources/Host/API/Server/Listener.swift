import Glibc
import Platform

/// A listening TCP socket.
struct Listener: ~Copyable, Sendable {
    let descriptor: FileDescriptor
    /// The bound port, also where any was asked for.
    let port: UInt16

    /// `address` is an IPv4 or IPv6 literal: names would need a resolver, which can hang.
    init(address: String, port: UInt16) throws(ServerError) {
        var four = sockaddr_in()
        var six = sockaddr_in6()
        // The C calls below get pointers to locals, valid for the call, with their true sizes.
        if unsafe inet_pton(AF_INET, address, &four.sin_addr) == 1 {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            self = try unsafe withUnsafeBytes(of: &four) { (bytes) throws(ServerError) in
                unsafe try Listener(socketAddress: bytes, family: AF_INET, address: address, port: port)
            }
        } else if unsafe inet_pton(AF_INET6, address, &six.sin6_addr) == 1 {
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            self = try unsafe withUnsafeBytes(of: &six) { (bytes) throws(ServerError) in
                unsafe try Listener(socketAddress: bytes, family: AF_INET6, address: address, port: port)
            }
        } else {
            throw .badAddress(address)
        }
    }

    private init(
        socketAddress: UnsafeRawBufferPointer, family: Int32, address: String, port: UInt16
    ) throws(ServerError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = FileDescriptor(owning: socket(family, type, 0))
        guard descriptor.number >= 0 else { throw .cannotListen(address, port, SystemError("socket")) }

        // A restart must not wait for the connections of the last run to be forgotten.
        var one: Int32 = 1
        unsafe setsockopt(descriptor.number, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))

        let bound =
            unsafe socketAddress.withMemoryRebound(to: sockaddr.self) { pointer in
                unsafe bind(descriptor.number, pointer.baseAddress, socklen_t(socketAddress.count))
            }
        guard bound == 0 else { throw ServerError(bindError: errno, address: address, port: port) }
        guard listen(descriptor.number, 128) == 0 else {
            throw ServerError(bindError: errno, address: address, port: port)
        }
        self.port = try Self.boundPort(descriptor.number, orThrow: port, address)
        self.descriptor = descriptor
    }

    /// Both families keep the port at the same place.
    private static func boundPort(
        _ descriptor: Int32, orThrow port: UInt16, _ address: String
    ) throws(ServerError) -> UInt16 {
        var name = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let answer = unsafe withUnsafeMutableBytes(of: &name) { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                unsafe getsockname(descriptor, pointer.baseAddress, &length)
            }
        }
        guard answer == 0 else { throw .cannotListen(address, port, SystemError("getsockname")) }
        return UInt16(bigEndian: name.sin6_port)
    }
}

extension Listener {
    consuming func intoDescriptor() -> FileDescriptor { descriptor }
}
