import AdapterABI
import CLinux
import Configuration
import Glibc
import Platform
import Readings
import Synchronization

/// The program of a child process: loads one library and carries the calls between its adapter and the host.
/// `docs/adapter-runner.md` has the protocol.
package enum AdapterRunner {
    /// Bytes of private memory.
    static let memoryLimit: UInt64 = 512 << 20
    private static let descriptorLimit: UInt64 = 1024
    /// Where the host has put the socket, and a number that an adapter does not close by mistake.
    private static let givenSocket: Int32 = 3
    private static let ownSocket: Int32 = 100

    /// Never returns to its caller's loop: answers an exit status.
    /// - Parameter parent: the host's process.
    package static func run(parent: Int32) -> Int32 {
        guard sm_confine(parent, memoryLimit, descriptorLimit) == 0, let socket = takeSocket() else { return 1 }
        var inbox = FrameBuffer()
        guard case .setup(let setup)? = receive(&inbox, socket) else { return 1 }
        // The copy lives for good, as the handlers do.
        unsafe sm_report_crashes(strdup(setup.library))
        let line = HostLine(socket: socket)
        // Before there is a second thread: it confines the one that calls, and what that starts.
        for path in setup.needed { _ = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) }
        let landlock = Sandbox.enter(library: setup.library, named: setup.files, secret: setup.secret)
        line.send(.ready(version: runnerProtocolVersion, landlock: UInt32(landlock)))
        do throws(LibraryObjection) {
            let adapters = try AdapterLibrary.load(setup.library, needed: [])
            guard let meterType = setup.meterType else {
                for adapter in adapters { line.send(.described(adapter.description)) }
                line.send(.loaded)
                return 0
            }
            guard let adapter = adapters.first(where: { $0.description.meterType == meterType }) else {
                throw LibraryObjection(reason: "it has no adapter of type \(meterType) any more")
            }
            line.send(.loaded)
            return serve(adapter, setup, line, inbox, socket)
        } catch {
            line.send(.refused(error.reason))
            return 0
        }
    }

    private static func takeSocket() -> Int32? {
        let socket = sm_duplicate(givenSocket, ownSocket)
        close(givenSocket)
        return socket >= 0 ? socket : nil
    }

    /// The next message; nil at the end of the line, and where it makes no sense.
    private static func receive(_ inbox: inout FrameBuffer, _ socket: Int32) -> HostMessage? {
        while true {
            if let frame = try? inbox.next() { return try? HostMessage(frame) }
            _ = Poll.readable(socket, until: nil)
            if case .ended = inbox.receive(from: socket) { return nil }
        }
    }

    // MARK: An instance

    private static func serve(
        _ adapter: HostedAdapter, _ setup: RunnerSetup, _ line: HostLine, _ inbox: FrameBuffer, _ socket: Int32
    ) -> Int32 {
        do throws(SystemError) {
            let services = try RemoteServices(line)
            let context = HostContext(
                instance: setup.instance, settings: setup.settings,
                declared: adapter.description.settings.map(\.name), gate: services.gate, services: services)
            let bell = try Doorbell()
            let calls = Mailbox<AdapterCall>(doorbell: bell)
            _ = try Thread(name: "host-line") { listen(inbox, socket, line, services, calls) }
            var hosting = InProcessHosting(adapter: adapter, context: context)
            while true {
                bell.wait(until: nil)
                for call in calls.take() {
                    let outcome = perform(call, &hosting, services)
                    services.settle()
                    line.send(.returned(outcome))
                    if case .destroy = call { return 0 }
                }
            }
        } catch {
            line.send(.refused("\(error)"))
            return 1
        }
    }

    /// What the host says, as it comes: also while a call runs.
    private static func listen(
        _ inbox: FrameBuffer, _ socket: Int32, _ line: HostLine, _ services: RemoteServices,
        _ calls: Mailbox<AdapterCall>
    ) {
        var inbox = inbox
        while let message = receive(&inbox, socket) {
            switch message {
            case .call(let call): calls.post(call)
            case .cancel: services.gate.cancel()
            case .answer(let serial, let code, let bytes):
                line.take(HostLine.HostAnswer(code: code, bytes: bytes), to: serial)
            case .enough: services.stopHistory()
            case .setup: break
            }
        }
        HostLine.hangUp()
    }

    private static func perform(
        _ call: AdapterCall, _ hosting: inout InProcessHosting, _ services: RemoteServices
    ) -> CallOutcome {
        do throws(HostingError) {
            switch call {
            case .create: try hosting.create()
            case .start: try start(&hosting, services.gate)
            case .read(let deadline): try hosting.read(until: deadline)
            case .history(let request):
                services.beginHistory()
                return CallOutcome(history: try unsafe hosting.history(request) { unsafe services.put($0) })
            case .login: return CallOutcome(message: try hosting.login { services.prompt($0) })
            case .stop:
                hosting.stop()
                services.gate.close()
            case .destroy: hosting.destroy()
            }
            return CallOutcome()
        } catch {
            switch error {
            case .failed(let failure):
                return CallOutcome(code: failure.code, retryAfter: failure.retryAfter, message: failure.message)
            case .ended(let how): return CallOutcome(code: METER_FAILED, message: how)
            }
        }
    }

    private static func start(_ hosting: inout InProcessHosting, _ gate: InstanceGate) throws(HostingError) {
        gate.open()
        do throws(HostingError) {
            try hosting.start()
        } catch {
            gate.close()
            throw error
        }
    }
}
