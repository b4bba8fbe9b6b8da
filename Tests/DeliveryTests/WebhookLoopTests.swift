import Foundation
import Platform
import Readings
import Synchronization
import TestSupport
import Testing

@testable import Delivery
@testable import Storage

@Suite(.serialized) struct WebhookLoopTests {
    @Test(arguments: [
        (FaultServer.Answer.reply(.init(401)), "401"),
        (.reply(.init(404)), "404"),
        (.reply(.json(400, #"{"error":"no"}"#)), "400"),
        (.reply(.init(500, "<html>sorry</html>")), "500"),
        (.reply(.init(503, headers: ["Retry-After": "0"])), "503"),
        (.half(.init(500, "half an answer")), "500"),
        (.hang, "in time"),
        (.close, "cannot reach"),
        (.raw("garbage\r\n\r\n"), "HTTP"),
    ]) func `a receiver that does not take it is asked again until it does, and then no more`(
        answer: FaultServer.Answer, words: String
    ) throws {
        let server = try FaultServer { _ in answer }
        let rig = try WebhookRig(url: server.url + "/hook/hunter2")
        try rig.tell("high_consumption", peakW: 12_000)
        try rig.loop.start()
        try rig.wait("two attempts") { server.count >= 2 && rig.loop.currentStatus.fault != nil }
        let fault = try #require(rig.loop.currentStatus.fault)
        #expect(fault.words.contains(words), "\(fault.words)")
        #expect(!fault.words.contains("hunter2") && !rig.loop.currentStatus.destination.contains("hunter2"))
        #expect(!fault.todo.isEmpty)
        #expect(rig.loop.currentStatus.waiting == 1)
        #expect(try rig.waiting() == 1)
        server.setScript { _ in .reply(.init(204)) }
        try rig.wait("the end of it") { rig.loop.currentStatus.sent == 1 }
        #expect(rig.loop.currentStatus.fault == nil)
        try rig.wait("that it is settled") { try rig.waiting() == 0 }
        // What comes later is told, and what was told is not told again.
        server.forgetRequests()
        try rig.tell("high_consumption", peakW: 13_000, isNews: false)
        try rig.tell("high_consumption", ended: 5, peakW: 13_000)
        try rig.wait("the end of the episode") { rig.loop.currentStatus.sent == 2 }
        #expect(told(server) == ["high_consumption ended"])
    }

    @Test(arguments: [
        FaultServer.Answer.reply(.init(200, "<html>whatever</html>")),
        .flood(bytes: 200_000_000),
        .half(.init(202, "half an answer")),
        .drip(0.2, .init(200, "one byte every fifth of a second, for longer than an answer may take")),
        .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        .raw("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 Taken\r\n\r\n"),
    ]) func `once answered with success it is never sent again, whatever follows the head`(
        answer: FaultServer.Answer
    ) throws {
        let server = try FaultServer { _ in answer }
        let rig = try WebhookRig(url: server.url)
        try rig.tell("high_consumption", peakW: 12_000)
        try rig.loop.start()
        try rig.wait("that it is settled") { try rig.waiting() == 0 }
        rig.loop.wake()
        // A later message comes, and that is all that comes.
        server.setScript { _ in .reply(.init(204)) }
        try rig.tell("no_data")
        try rig.wait("the next") { rig.loop.currentStatus.sent == 2 }
        #expect(told(server) == ["high_consumption raised", "no_data raised"])
        #expect(rig.loop.currentStatus.fault == nil)
    }

    @Test func `an interim answer alone is no success`() throws {
        let server = try FaultServer { _ in .raw("HTTP/1.1 103 Early\r\n\r\n") }
        let rig = try WebhookRig(url: server.url)
        try rig.tell("no_data")
        try rig.loop.start()
        try rig.wait("two attempts") { server.count >= 2 }
        #expect(rig.loop.currentStatus.sent == 0)
    }

    @Test func `a redirect is not followed`() throws {
        let elsewhere = try FaultServer { _ in .reply(.init(204)) }
        let target = elsewhere.url
        let server = try FaultServer { _ in .reply(.init(307, headers: ["Location": target])) }
        let rig = try WebhookRig(url: server.url)
        try rig.tell("no_data")
        try rig.loop.start()
        try rig.wait("two attempts") { server.count >= 2 }
        #expect(elsewhere.count == 0)
        #expect(rig.loop.currentStatus.fault?.todo.contains("redirects are not followed") == true)
    }

    @Test func `a message says what, where, since when and how much`() throws {
        let server = try FaultServer { _ in .reply(.init(204)) }
        let rig = try WebhookRig(url: server.url)
        try rig.tell("high_consumption", peakW: 12_345.677_999_999_998)
        try rig.loop.start()
        try rig.wait("the first") { rig.loop.currentStatus.sent == 1 }
        try rig.tell("high_consumption", ended: 5, peakW: 13_000)
        try rig.tell("no_data", minute: 1, detail: "no reading for \"15\" min")
        try rig.wait("all") { rig.loop.currentStatus.sent == 3 }
        let bodies = server.requests.map(\.text)
        #expect(
            bodies == [
                #"{"id":"mock@attic/high_consumption/1780315200","state":"raised","kind":"high_consumption","#
                    + #""meter":"mock@attic","meter_type":"mock","started_at":"2026-06-01T12:00:00.000Z","ended_at":null,"#
                    + #""peak_w":12345.678,"detail":"above 10000.0 W","#
                    + #""message":"High power consumption: 12345.7 W, above 10000.0 W"}"#,
                #"{"id":"mock@attic/high_consumption/1780315200","state":"ended","kind":"high_consumption","#
                    + #""meter":"mock@attic","meter_type":"mock","started_at":"2026-06-01T12:00:00.000Z","#
                    + #""ended_at":"2026-06-01T12:05:00.000Z","peak_w":13000.0,"detail":"above 10000.0 W","#
                    + #""message":"High power consumption ended, the peak was 13000.0 W"}"#,
                #"{"id":"mock@attic/no_data/1780315260","state":"raised","kind":"no_data","#
                    + #""meter":"mock@attic","meter_type":"mock","started_at":"2026-06-01T12:01:00.000Z","ended_at":null,"#
                    + #""peak_w":null,"detail":"no reading for \"15\" min","#
                    + #""message":"No data from mock@attic: no reading for \"15\" min"}"#,
            ])
        #expect(server.requests.allSatisfy { $0.method == "POST" })
        #expect(server.requests.allSatisfy { $0.headers["content-type"] == "application/json" })
        #expect(server.requests.allSatisfy { $0.headers["x-smart-meter-signature"] == nil })
    }

    @Test func `each attempt is signed anew, with the secret as it is then`() throws {
        let secret = Secret("correct horse")
        let server = try FaultServer { _ in .reply(.init(401)) }
        let rig = try WebhookRig(url: server.url) { secret.value.withLock { $0 } }
        try rig.tell("high_consumption", peakW: 12_000)
        try rig.loop.start()
        try rig.wait("an attempt") { server.count >= 1 }
        secret.value.withLock { $0 = "battery staple" }
        server.setScript { request in
            // As docs/alerts.md tells a receiver to check it; the code is OpenSSL's own.
            let signed = (request.headers["x-smart-meter-timestamp"] ?? "") + "." + request.text
            let code = try? Self.openssl(signed, secret: "battery staple")
            let isRight = code.map { request.headers["x-smart-meter-signature"] == "sha256=\($0)" } ?? false
            return .reply(.init(isRight ? 204 : 401))
        }
        try rig.wait("a right signature") { rig.loop.currentStatus.sent == 1 }
        let stamp = try #require(Int64(server.requests.last?.headers["x-smart-meter-timestamp"] ?? ""))
        #expect(abs(stamp - Int64(Date().timeIntervalSince1970)) < 60)
    }

    private final class Secret: Sendable {
        let value: Mutex<String?>
        init(_ secret: String) { value = Mutex(secret) }
    }

    private static func openssl(_ text: String, secret: String) throws -> String {
        let folder = try TemporaryDirectory("hmac")
        try folder.write("signed", text)
        let child = try ChildProcess(
            "/usr/bin/openssl", ["dgst", "-sha256", "-hmac", secret, "-r", folder.file("signed").path], logs: folder,
            name: "openssl")
        guard try child.waitForEnd(within: 10) == 0 else { throw FixtureError(child.errors) }
        return String(child.output.prefix(64))
    }

    @Test func `the HMAC is that of RFC 4231`() {
        let code = SHA256.hmac(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(code == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            SHA256.hmac([], key: []) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func `a message that is never taken holds no other up, but its own episode's end`() throws {
        let server = try FaultServer { request in
            .reply(.init(request.text.contains("no_data") ? 500 : 204))
        }
        let rig = try WebhookRig(url: server.url)
        try rig.tell("no_data")
        try rig.tell("no_data", ended: 5)
        try rig.tell("high_consumption", peakW: 12_000)
        try rig.loop.start()
        try rig.wait("the other") { rig.loop.currentStatus.sent == 1 }
        try rig.wait("more attempts") { told(server).filter { $0 == "no_data raised" }.count >= 3 }
        #expect(rig.loop.currentStatus.fault != nil)
        #expect(!told(server).contains("no_data ended"))
        server.setScript { _ in .reply(.init(204)) }
        try rig.wait("all") { try rig.waiting() == 0 }
        #expect(told(server).suffix(2) == ["no_data raised", "no_data ended"])
    }

    @Test func `what was not answered before a restart is sent after it, and what was answered is not`() throws {
        let server = try FaultServer { request in
            request.text.contains("no_data") ? .hang : .reply(.init(204))
        }
        let rig = try WebhookRig(url: server.url)
        try rig.tell("high_consumption", peakW: 12_000)
        try rig.loop.start()
        try rig.wait("the first") { try rig.waiting() == 0 }
        try rig.tell("no_data")
        try rig.wait("an attempt") { told(server).contains("no_data raised") }
        let begin = Clock.monotonic()
        try rig.restart()
        #expect(Clock.monotonic() - begin < Duration.second, "a receiver that hangs does not hold the end up")
        server.setScript { _ in .reply(.init(204)) }
        server.forgetRequests()
        try rig.wait("the second") { try rig.waiting() == 0 }
        #expect(told(server) == ["no_data raised"])
        // Killed between the answer and the store: told again, by the same id and state.
        try rig.tell("no_data", ended: 5)
        try waitUntil("the answer") { rig.loop.currentStatus.sent == 2 }
        try rig.restart()
        try rig.wait("the repeat") { try rig.waiting() == 0 }
        #expect(told(server).suffix(2) == ["no_data ended", "no_data ended"])
        #expect(server.requests[1].body == server.requests[2].body)
    }

    @Test func `only news are told, each state once, and no end of what was not told`() throws {
        let server = try FaultServer { _ in .reply(.init(204)) }
        let rig = try WebhookRig(url: server.url)
        rig.store.tellsAlerts = false
        try rig.tell("no_data")
        rig.store.tellsAlerts = true
        try rig.tell("no_data", ended: 1)
        try rig.tell("phantom_load", peakW: 300, isNews: false)
        try rig.tell("phantom_load", ended: 1, peakW: 300)
        #expect(try rig.waiting() == 0)
        try rig.tell("high_consumption", peakW: 12_000)
        try rig.tell("high_consumption", peakW: 13_000)
        #expect(try rig.waiting() == 1)
    }
}
