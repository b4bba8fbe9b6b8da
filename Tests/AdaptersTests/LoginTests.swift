import AdapterABI
import Configuration
import Observability
import Platform
import Readings
import TestSupport
import Testing

@testable import Adapters

/// Logins of an instance, in both hostings; the person is the test.
@Suite(.serialized) struct LoginTests {
    private static let hostings = HostSettings.Isolation.allCases
    private static let answers = [
        "E-mail": "zoe", "Password": "correct horse & battery=é", "Code from the app": "924613",
    ]

    private func rig(_ mode: String, _ isolation: HostSettings.Isolation, state: [String: [UInt8]] = [:]) throws
        -> AdapterRig
    {
        let folder = try TemporaryDirectory("cloud")
        try CAdapter.build("cloud.c", as: "cloud.so", in: folder)
        let catalog = try ShelfRig.catalog(release: folder.path, isolation)
        let adapter = try #require(catalog.adapter(ofType: "cloud"), "\(catalog.refused)")
        #expect(adapter.description.canLogIn)
        return try AdapterRig(adapter, settings: ["mode": mode], state: state)
    }

    private func dialogue(endTime: Int64 = LoginDialogue.endTime) throws -> LoginDialogue {
        try LoginDialogue(log: Log(level: .error), endTime: endTime)
    }

    private func next(_ dialogue: LoginDialogue) throws -> LoginDialogue.News {
        try waitFor("news of the login") {
            _ = Poll.readable(dialogue.descriptor, until: Clock.monotonic() + Duration.second)
            return dialogue.takeNews()
        }
    }

    /// Answers what is asked: what it came to.
    private func converse(_ dialogue: LoginDialogue) throws -> LoginDialogue.News {
        while true {
            let news = try next(dialogue)
            guard case .question(let prompt) = news else { return news }
            dialogue.answer(Array((Self.answers[prompt.question] ?? "?").utf8))
        }
    }

    private func code(_ news: LoginDialogue.News) -> Int32? {
        if case .failed(let failure) = news { failure.code } else { nil }
    }

    @Test(arguments: hostings, ["", "start"])
    func `one that waits for a person is read at once, wherever it had failed`(
        _ isolation: HostSettings.Isolation, _ mode: String
    ) throws {
        let rig = try rig(mode, isolation)
        try rig.waitForState("needs_attention")
        #expect(rig.status.state == .needsLogin("the account wants a person"))
        try waitUntil("nothing to be due") { rig.status.nextRun == nil }
        let dialogue = try dialogue()
        rig.running.logIn(dialogue)
        #expect(try converse(dialogue) == .found("account zoe, 1 monitor"))
        try rig.waitForState("running")
        #expect(rig.memory.value("token") == Array("t0ken".utf8))
        #expect(rig.log.contains("todo=\"smart-meter login cloud\""))
        #expect(rig.end())
    }

    @Test(arguments: hostings) func `a login that nobody ends does not go on once the person is gone`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try rig("asks for ever", isolation, state: ["token": [1]])
        try rig.waitForState("running")
        let dialogue = try dialogue(endTime: 100 * Duration.millisecond)
        rig.running.logIn(dialogue)
        _ = try next(dialogue)
        dialogue.cancel()
        let outcome = try waitFor("the end; it is \(rig.status.state)") {
            _ = rig.running.checkDeadline(now: Clock.monotonic())
            return dialogue.takeNews()
        }
        #expect(code(outcome) == METER_FAILED)
        guard isolation == .always else {
            try rig.waitForState("abandoned")
            return
        }
        #expect(rig.log.contains("login() did not return within the time it has once nobody answers"))
        try rig.waitForState("running")
        #expect(rig.end())
    }

    @Test(arguments: hostings) func `one login at a time, and none of one that is paused or has stopped`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try rig("reads", isolation)
        try rig.waitForState("running")
        let (first, second) = (try dialogue(), try dialogue())
        rig.running.logIn(first)
        _ = try next(first)
        rig.running.logIn(second)
        #expect(code(try next(second)) == METER_UNAVAILABLE)
        rig.running.pause()
        #expect(code(try next(first)) == METER_CANCELLED)
        try rig.waitForState("paused")
        let third = try dialogue()
        rig.running.logIn(third)
        #expect(
            try next(third)
                == .failed(AdapterFailure(code: METER_UNAVAILABLE, message: "it is paused: resume it first")))
        rig.running.resume()
        try rig.waitForState("running")
        let fourth = try dialogue()
        rig.running.logIn(fourth)
        _ = try next(fourth)
        #expect(rig.end(within: 2))
        #expect(code(try next(fourth)) == METER_CANCELLED)
        let fifth = try dialogue()
        rig.running.logIn(fifth)
        #expect(code(try next(fifth)) == METER_CANCELLED)
    }

    @Test(arguments: hostings) func `what it hands over while a person thinks is not lost`(
        _ isolation: HostSettings.Isolation
    ) throws {
        let rig = try rig("emits", isolation)
        try rig.waitForState("needs_attention")
        let dialogue = try dialogue()
        rig.running.logIn(dialogue)
        _ = try next(dialogue)
        try waitUntil("readings") { rig.status.counts.accepted >= 20 }
        #expect(rig.status.counts.busy == 0)
        dialogue.cancel()
        #expect(code(try next(dialogue)) == METER_CANCELLED)
        #expect(rig.end())
    }

    @Test(arguments: hostings) func `one that cannot be created says why`(_ isolation: HostSettings.Isolation) throws {
        let rig = try rig("misconfigured", isolation)
        try rig.waitForState("misconfigured")
        let dialogue = try dialogue()
        rig.running.logIn(dialogue)
        #expect(
            try next(dialogue)
                == .failed(AdapterFailure(code: METER_MISCONFIGURED, message: "CLOUD_MODE makes no sense")))
        #expect(rig.end())
    }

    @Test func `a login that fails leaves what was due as it was`() throws {
        let rig = try rig("", .auto)
        try rig.waitForState("needs_attention")
        let failures = rig.status.failures
        let dialogue = try dialogue()
        rig.running.logIn(dialogue)
        _ = try next(dialogue)
        dialogue.cancel()
        #expect(code(try next(dialogue)) == METER_CANCELLED)
        #expect(rig.status.state.word == "needs_attention")
        try waitUntil("nothing to be due") { rig.status.nextRun == nil }
        #expect(rig.status.failures == failures)
        #expect(rig.end())
    }
}
