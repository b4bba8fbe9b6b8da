import AdapterABI
import FakeHost
import Synchronization
import Testing

/// The host's extensions as an adapter in Swift sees them.
@Suite struct HostServiceTests {
    private func scripted(_ host: FakeHost) throws -> InstanceUnderTest {
        try unsafe AdapterUnderTest(ScriptedLibrary.enter()).create(host)
    }

    @Test("A request arrives whole, and the pieces of its answer are put together")
    func request() throws {
        let seen = Mutex<[FakeRequest]>([])
        let host = FakeHost(settings: ["script": "http"]) { request in
            seen.withLock { $0.append(request) }
            return .answer(status: 200, body: "1234.5")
        }
        #expect(try scripted(host).read().consumptionPowerW == 1234.5)
        let request = try #require(seen.withLock { $0 }.first)
        #expect(request.method == METER_HTTP_POST)
        #expect(request.url == "http://meter.local/api")
        #expect(request.headers == ["Content-Type": "text/plain", "X-Empty": ""])
        #expect(request.body == "gr\u{00FC}n")
        #expect(request.authorization == METER_AUTH_DIGEST)
        #expect(request.user == "u")
        #expect(request.secret == "p")
        #expect(request.deadline > 0)
    }

    @Test("An answer of whatever status is an answer, with its Retry-After")
    func status() throws {
        let host = FakeHost(settings: ["script": "http"]) { _ in
            .answer(status: 429, retryAfterSeconds: 30, body: "")
        }
        let failure = try #require(throws: AdapterFailure.self) { try scripted(host).read() }
        #expect(
            failure
                == AdapterFailure(code: METER_RATE_LIMITED, message: "status 429", retryAfter: 30_000_000_000))
    }

    @Test("A request without an answer throws the host's code and message")
    func noAnswer() throws {
        let host = FakeHost(settings: ["script": "http"]) { _ in
            .failure(code: METER_TLS_FAILED, message: "the certificate is not trusted")
        }
        let failure = try #require(throws: AdapterFailure.self) { try scripted(host).read() }
        #expect(failure == AdapterFailure(code: METER_TLS_FAILED, message: "the certificate is not trusted"))
    }

    @Test("State outlives an instance, also where it outgrows the first buffer")
    func state() throws {
        let host = FakeHost(settings: ["script": "state"])
        #expect(try scripted(host).read().consumptionPowerW == 1)
        let second = try scripted(host)
        #expect(try second.read().consumptionPowerW == 2)
        #expect(try second.read().consumptionPowerW == 3)
        #expect(host.values["reads"]?.count == 3000)
    }

    @Test("What an older host does not have is absent, not garbage")
    func olderHost() throws {
        // It ends before emit: context, log, setting and extension are all that it has.
        let host = FakeHost(structSize: 80)
        let instance = try scripted(host)
        try instance.start()
        #expect(host.logs.count == 1)
        let failure = try #require(throws: AdapterFailure.self) { try instance.read() }
        #expect(failure.code == METER_NO_DATA, "the driver's own: emit is not there, so nothing was emitted")
        #expect(host.emissions.isEmpty)
    }

    @Test("A wait ends at its time, and at once where the call should return")
    func wait() throws {
        let host = FakeHost(settings: ["script": "wait"])
        let instance = try scripted(host)
        let begin = ContinuousClock.now
        #expect(try instance.read().consumptionPowerW == 1)
        #expect(ContinuousClock.now - begin >= .milliseconds(50))
        host.isCancelled = true
        #expect(try instance.read().consumptionPowerW == 0)
    }
}
