import AdapterABI
import Platform
import Readings
import TestSupport
import Testing

@testable import Adapters

/// The host's services through their C tables, at each moment of an instance's life.
@Suite(.serialized) struct HostFunctionsTests {
    @Test func `services answer from the entry of start to the return of stop, and never crash afterwards`() throws {
        let server = try FaultServer { _ in .reply(.init(200, "fine")) }
        let rig = try ServiceRig(requestsPerDay: 10)
        func answers() -> [Int32] {
            [rig.emit(), rig.spend(), rig.setState("key", [1]), rig.fetch(server.url).code]
        }
        let gone = [METER_EMIT_CLOSED, METER_CANCELLED, METER_CANCELLED, METER_CANCELLED]
        #expect(answers() == gone)

        rig.services.open()
        #expect(answers() == [METER_EMIT_QUEUED, METER_OK, METER_OK, METER_OK])
        #expect(!rig.isCancelled)
        #expect(!Poll.readable(rig.cancelDescriptor, until: 0))

        rig.services.cancel()
        #expect(rig.isCancelled)
        #expect(Poll.readable(rig.cancelDescriptor, until: 0))
        #expect(answers() == [METER_EMIT_CLOSED, METER_OK, METER_OK, METER_CANCELLED])

        rig.services.close()
        #expect(answers() == gone)
        rig.context.retire()
        #expect(answers() == gone)
        #expect(rig.cancelDescriptor == -1)
        rig.condition(METER_FAILED, "too late")
        #expect(rig.services.currentCondition == nil)
        #expect(!rig.logText.contains("too late"))
        // One request, and two that were spent: none for what was refused.
        #expect(server.count == 1)
        #expect(rig.services.rationLeft(at: .init(nanoseconds: Clock.wall())) == 7)
    }

    @Test func `an instance whose start failed is open again at the next, one that was told to stop never`() throws {
        let rig = try ServiceRig()
        rig.services.open()
        rig.services.close()
        #expect(rig.emit() == METER_EMIT_CLOSED)
        rig.services.open()
        #expect(rig.emit() == METER_EMIT_QUEUED)
        #expect(!rig.isCancelled)
        rig.services.cancel()
        rig.services.close()
        rig.services.open()
        #expect(rig.emit() == METER_EMIT_CLOSED)
        #expect(rig.isCancelled)
        #expect(Poll.readable(rig.cancelDescriptor, until: 0))
    }

    @Test func `NULL for everything is answered and never followed`() throws {
        let rig = try ServiceRig()
        rig.services.open()
        #expect(
            rig.callWithNothing() == [
                METER_INVALID, METER_INVALID, METER_EMIT_CLOSED, METER_EMIT_INVALID, 1, -1, METER_CANCELLED,
                METER_CANCELLED, METER_INVALID, METER_INVALID, METER_INVALID, METER_CANCELLED, METER_INVALID,
            ])
        #expect(!rig.hasExtension("meter.host.http/99"))
        #expect(!rig.hasExtension(""))
    }

    @Test func `an adapter gets its own declared settings and no others`() throws {
        let rig = try ServiceRig(settings: ["url": "http://meter", "path": "/x"], declared: ["url", "token"])
        #expect(rig.setting("url") == (METER_OK, "http://meter"))
        #expect(rig.setting("token") == (METER_NOT_FOUND, nil))
        #expect(rig.setting("path") == (METER_INVALID, nil))
        #expect(rig.setting("") == (METER_INVALID, nil))
    }

    @Test func `small values come back, bounded by the buffer; the host's own are not seen`() throws {
        let rig = try ServiceRig(state: ["cursor": [1, 2, 3], StateKey.ration: [9]])
        rig.services.open()
        #expect(rig.state("cursor") == (METER_OK, 3, [1, 2, 3]))
        #expect(rig.state("cursor", capacity: 2) == (METER_BUFFER_TOO_SMALL, 3, []))
        #expect(rig.state("nothing") == (METER_NOT_FOUND, 0, []))
        #expect(rig.state(StateKey.ration) == (METER_INVALID, 0, []))
        #expect(rig.setState(StateKey.ration, [0]) == METER_INVALID)
        #expect(rig.setState("", [0]) == METER_INVALID)
        #expect(rig.setState("big", [UInt8](repeating: 7, count: 65_537)) == METER_TOO_LARGE)
        #expect(rig.setState("cursor", [4]) == METER_OK)
        #expect(rig.memory.value("cursor") == [4])
        #expect(rig.state("cursor") == (METER_OK, 1, [4]))
        #expect(rig.setState("cursor", []) == METER_OK)
        #expect(rig.state("cursor") == (METER_NOT_FOUND, 0, []))
    }

    @Test func `an answer arrives whole, whatever its status`() throws {
        let server = try FaultServer { _ in
            .reply(.init(503, "later", headers: ["Content-Type": "text/plain", "Retry-After": "9"]))
        }
        let rig = try ServiceRig()
        rig.services.open()
        let answer = rig.fetch(server.url + "/path?q=1")
        #expect(answer.code == METER_OK)
        #expect(answer.status == 503)
        #expect(answer.body == "later")
        #expect(answer.contentType == "text/plain")
        #expect(answer.retryAfter == 9_000_000_000)
        #expect(server.requests.map(\.target) == ["/path?q=1"])
        #expect(rig.fetch(server.url, takesBody: false).code == METER_CANCELLED)
    }

    @Test func `a redirect is followed, or is the answer where the request says so`() throws {
        let other = try FaultServer { _ in .reply(.init(200, "there")) }
        let server = try FaultServer { _ in .reply(.init(307, headers: ["Location": other.url])) }
        let rig = try ServiceRig()
        rig.services.open()
        #expect(rig.fetch(server.url).status == 200)
        let answer = unsafe rig.fetch(server.url) { request in unsafe request.flags = METER_HTTP_NO_REDIRECTS }
        #expect(answer.status == 307)
        #expect(other.count == 1)
    }

    @Test func `a push adapter that wants a login is told to a person with the command`() throws {
        let rig = try ServiceRig()
        rig.services.open()
        rig.condition(METER_LOGIN_REQUIRED, "the token has expired")
        #expect(rig.logText.contains("error=\"the token has expired\" todo=\"smart-meter login test\""))
    }

    @Test func `a request that breaks a rule is not made`() throws {
        let server = try FaultServer { _ in .reply(.init(200, "fine")) }
        let rig = try ServiceRig(requestsPerDay: 5)
        rig.services.open()
        let changes: [(inout meter_http_request) -> Void] = unsafe [
            { unsafe $0.struct_size = 8 }, { unsafe $0.method = 77 }, { unsafe $0.auth = 9 },
            { unsafe $0.url.data = nil }, { unsafe $0.url.length = 0 }, { unsafe $0.header_count = 1 },
            { unsafe $0.body.length = 5 }, { unsafe $0.header_count = 1_000_000 },
        ]
        for index in unsafe changes.indices {
            let code = unsafe rig.fetch(server.url, changes[index]).code
            #expect(code == METER_INVALID, "change \(index)")
        }
        #expect(rig.fetch("file:///etc/passwd").code == METER_INVALID)
        #expect(server.count == 0)
        #expect(rig.services.rationLeft(at: .init(nanoseconds: Clock.wall())) == 5)
    }

    @Test func `limits of size and time hold`() throws {
        let server = try FaultServer { request in
            request.path == "/big" ? .flood(bytes: 1 << 20) : .hang
        }
        let rig = try ServiceRig()
        rig.services.open()
        #expect(rig.fetch(server.url + "/big", limit: 1000).code == METER_TOO_LARGE)
        let soon = Clock.monotonic() + 100_000_000
        #expect(rig.fetch(server.url, deadline: soon).code == METER_TIMEOUT)
        // A request never outlives the call in which it is made.
        rig.context.begin(callUntil: Clock.monotonic() + 100_000_000)
        let later = Clock.monotonic() + 60_000_000_000
        #expect(rig.fetch(server.url, deadline: later).code == METER_TIMEOUT)
    }

    @Test func `cancelling ends a request that hangs`() throws {
        let server = try FaultServer { _ in .hang }
        let rig = try ServiceRig()
        rig.services.open()
        let services = rig.services
        let canceller = try Thread(name: "cancel") {
            try? waitUntil("the request") { server.count == 1 }
            services.cancel()
        }
        #expect(rig.fetch(server.url).code == METER_CANCELLED)
        canceller.join()
    }

    @Test func `an adapter that talks without end does not drown the others' lines`() throws {
        let rig = try ServiceRig()
        for index in 0..<10_000 { rig.log("line \(index)") }
        let lines = rig.logText.split(separator: "\n")
        #expect((10...1000).contains(lines.count))
        #expect(rig.logText.contains("line 0"))
    }
}
