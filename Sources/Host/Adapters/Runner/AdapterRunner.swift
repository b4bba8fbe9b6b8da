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
    /// Where the host has put the lines, and numbers that an adapter does not close by mistake.
    private static let given: (calls: Int32, line: Int32) = (3, 4)
    private static let firstOwn: Int32 = 40

    /// Answers an exit status.
    /// - Parameter parent: the host's process.
    package static func run(parent: Int32) -> Int32 {
        let code = sm_confine(parent, memoryLimit, descriptorLimit)
        guard code == 0, let callSocket = take(given.calls), let lineSocket = take(given.line) else {
            // Becomes a line of the host's log.
            let words = "cannot confine itself: \(SystemError.text(code == 0 ? errno : code))\n"
            _ = unsafe write(STDERR_FILENO, words, words.utf8.count)
            return 1
        }
        var calls = HostInbox(socket: callSocket)
        guard case .setup(let setup)? = calls.next() else { return 1 }
        // The copy lives for good, as the handlers do.
        unsafe sm_report_crashes(strdup(setup.library))
        let line = HostLine(socket: lineSocket)
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
            return serve(adapter, setup, &calls, line)
        } catch {
            line.send(.refused(error.reason, shortage: error.shortage))
            return 0
        }
    }

    private static func take(_ descriptor: Int32) -> Int32? {
        let own = sm_duplicate(descriptor, firstOwn)
        close(descriptor)
        return own >= 0 ? own : nil
    }

    // MARK: An instance

    /// Calls run on this thread, the process's first; what the host says meanwhile is heard by another.
    private static func serve(
        _ adapter: HostedAdapter, _ setup: RunnerSetup, _ calls: inout HostInbox, _ line: HostLine
    ) -> Int32 {
        do throws(SystemError) {
            let services = try RemoteServices(line)
            let context = HostContext(
                instance: setup.instance, settings: setup.settings,
                declared: adapter.description.settings.map(\.name), gate: services.gate, services: services)
            _ = try Thread(name: "host-line") { listen(line, services) }
            var hosting = InProcessHosting(adapter: adapter, context: context)
            while case .call(let call)? = calls.next() {
                let outcome = perform(call, &hosting, services)
                services.settle()
                line.send(.returned(outcome))
                if case .destroy = call { return 0 }
            }
            HostLine.hangUp()
        } catch {
            line.send(.refused("\(error)", shortage: HostShortage(code: error.code)))
            return 1
        }
    }

    private static func listen(_ line: HostLine, _ services: RemoteServices) {
        var inbox = HostInbox(socket: line.socket)
        while let message = inbox.next() {
            switch message {
            case .cancel: services.gate.cancel()
            case .answer(let serial, let code, let bytes):
                line.take(HostLine.HostAnswer(code: code, bytes: bytes), to: serial)
            case .enough(let deadline): services.stopHistory(of: deadline)
            case .setup, .call: break
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
                services.beginHistory(of: request.deadline)
                return CallOutcome(history: try unsafe hosting.history(request) { unsafe services.put($0) })
            case .login: return CallOutcome(message: try logIn(&hosting, services))
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

    /// Also where the start has failed: for want of a login, perhaps.
    private static func logIn(
        _ hosting: inout InProcessHosting, _ services: RemoteServices
    ) throws(HostingError) -> String {
        let wasOpen = services.gate.isOpen
        services.gate.open()
        defer { if !wasOpen { services.gate.close() } }
        return try hosting.login { services.prompt($0) }
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
