import Platform
import Synchronization

/// The HTTP face of the host: one thread that runs libmicrohttpd and every handler.
package final class HTTPServer: Sendable {
    /// The port that it listens on.
    package let port: UInt16
    private let listener: Mutex<FileDescriptor?>
    private let router: Router
    private let hosts: HostCheck
    private let limits: ServerLimits
    private let doorbell: Doorbell
    private let isStopping = Atomic<Bool>(false)

    /// Listens on `address` (an IPv4 or IPv6 literal) from now on; answers once `run` runs. Port 0: any free one.
    package init(
        address: String, port: UInt16, router: Router, hosts: HostCheck = HostCheck(),
        limits: ServerLimits = ServerLimits()
    ) throws(ServerError) {
        do {
            doorbell = try Doorbell()
        } catch {
            throw .cannotListen(address, port, error)
        }
        let listener = try Listener(address: address, port: port)
        self.port = listener.port
        self.listener = Mutex(listener.intoDescriptor())
        self.router = router
        self.hosts = hosts
        self.limits = limits
    }

    /// The thread's body: serves until `stop`. Only the first call does anything.
    package func run() throws(ServerError) {
        guard let listener = listener.withLock({ $0.take() }) else { return }
        let daemon = try MicrohttpdDaemon(
            listener: listener, door: FrontDoor(router: router, hosts: hosts, limits: limits), limits: limits)
        while !isStopping.load(ordering: .acquiring) {
            let deadline = daemon.serve()
            if Poll.firstReadable(daemon.descriptor, doorbell.number, until: deadline) == doorbell.number {
                doorbell.silence()
            }
        }
    }

    /// Any thread; `run` returns soon after, with every connection closed.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        doorbell.ring()
    }
}
