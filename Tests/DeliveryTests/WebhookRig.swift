import Foundation
import Observability
import Platform
import Readings
import TestSupport

@testable import Delivery
@testable import Storage

/// A store with alerts, a webhook loop on it, and the pipeline's part.
final class WebhookRig {
    static let noon = Instant(seconds: 1_780_315_200)

    let store: Store
    let url: String
    private(set) var loop: WebhookLoop
    let instance: Int
    private let folder: TemporaryDirectory
    private let directory: DataDirectory
    private let pipeline: TestPipeline
    private let secret: @Sendable () -> String?

    init(url: String, secret: @escaping @Sendable () -> String? = { nil }) throws {
        self.url = url
        self.secret = secret
        folder = try TemporaryDirectory("webhook")
        directory = try DataDirectory(locking: folder.path)
        store = try Store.open(in: directory).0
        store.tellsAlerts = true
        instance = try store.number(of: InstanceIdentity(meterType: "mock", label: "attic"))
        pipeline = TestPipeline(store: store)
        loop = try Self.makeLoop(url, secret, directory, pipeline)
    }

    deinit {
        loop.stop()
        _ = loop.join(until: Clock.monotonic() + 5 * Duration.second)
    }

    private static func makeLoop(
        _ url: String, _ secret: @escaping @Sendable () -> String?, _ directory: DataDirectory, _ pipeline: TestPipeline
    ) throws -> WebhookLoop {
        var options = WebhookLoop.Options(url: url, secret: secret)
        options.answerTime = 400 * Duration.millisecond
        options.longestPause = 100 * Duration.millisecond
        options.random = { 1 }
        return try WebhookLoop(
            options: options, directory: directory,
            settle: pipeline.intake,
            log: try Log(level: .error, descriptor: -1))
    }

    /// Another run on the same store; what was answered and not settled is lost, as with kill -9.
    func restart() throws {
        loop.stop()
        _ = loop.join(until: Clock.monotonic() + 5 * Duration.second)
        pipeline.forget()
        loop = try Self.makeLoop(url, secret, directory, pipeline)
        try loop.start()
    }

    /// An alert as it now is; its kinds begin at noon.
    func tell(
        _ kind: String, ended: Int64? = nil, minute: Int64 = 0, peakW: Double? = nil,
        detail: String = "above 10000.0 W",
        isNews: Bool = true
    ) throws {
        var plan = CommitPlan()
        let start = Self.noon + minute * Duration.minute
        plan.alerts = [
            AlertRecord(
                instance: instance, kind: kind, start: start, peakW: peakW,
                ended: ended.map { start + $0 * Duration.minute }, detail: detail, isNews: isNews)
        ]
        try store.commit(plan)
        loop.wake()
    }

    func settle() throws { try pipeline.settle() }

    func wait(_ what: String, within seconds: Double = 10, _ condition: () throws -> Bool) throws {
        try pipeline.wait(what, within: seconds, condition)
    }

    /// Messages that the store still holds to be sent.
    func waiting() throws -> Int { try Reader(directory: directory).waitingMessages().count }
}

/// What a receiver got: `kind state`, one a request.
func told(_ server: FaultServer) -> [String] {
    server.requests.compactMap { request in
        let object = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
        guard let kind = object?["kind"] as? String, let state = object?["state"] as? String else { return nil }
        return "\(kind) \(state)"
    }
}
