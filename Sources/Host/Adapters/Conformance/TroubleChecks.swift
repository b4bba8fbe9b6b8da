import AdapterABI
import Platform
import Readings

/// What an adapter does where its meter does not: the host's HTTP gives the trouble.
enum TroubleChecks {
    private static let large = 10 << 20
    /// How long a call has in which nothing useful comes.
    private static let short = Duration.second

    static let table: [ConformanceCheck] = [
        trouble("trouble-refused", "the connection is refused", .refused, [METER_UNREACHABLE]),
        trouble(
            "trouble-401", "the meter answers 401", answer(401, "{}"),
            [METER_UNAUTHORIZED, METER_CREDENTIALS_REFUSED, METER_LOGIN_REQUIRED, METER_MISCONFIGURED]),
        trouble("trouble-404", "the meter answers 404", answer(404, "not found"), []),
        trouble(
            "trouble-429", "the meter answers 429", .answer(status: 429, body: [], retryAfter: 7 * Duration.second),
            [METER_RATE_LIMITED]),
        trouble("trouble-500", "the meter answers 500", answer(500, "internal error"), [METER_UNAVAILABLE]),
        trouble("trouble-empty", "the meter answers 200 with nothing", answer(200, ""), []),
        trouble(
            "trouble-garbage", "the meter answers 200 with a page that is not its own",
            answer(200, "<!DOCTYPE html><html><body>Welcome to your router!</body></html>"), []),
        trouble(
            "trouble-large", "the meter answers 10 MB",
            .answer(status: 200, body: Array("\"".utf8) + [UInt8](repeating: 0x78, count: large)), []),
        trouble("trouble-hanging", "the meter does not answer", .hanging, [METER_TIMEOUT], lane: 2),
        trouble("trouble-slow", "the meter's answer never comes to its end", .dripping, [METER_TIMEOUT], lane: 1),
        ConformanceCheck("trouble-pieces", .trouble, "An answer that comes byte by byte gives the same reading") {
            (bench) throws(Finding) in
            try bench.needsHTTP()
            try bench.needsMeter()
            let instance = try bench.started(.pieces)
            defer {
                instance.stop()
                instance.destroy()
            }
            do throws(AdapterFailure) {
                try instance.read()
            } catch {
                try bench.needsReading()
                throw .failed(
                    "read says \(error.word): \(error.message)", expected: "a reading",
                    advice: "collect in on_body what comes, however many calls it takes")
            }
            try bench.needsHTTP(of: instance)
        },
    ]

    private static func answer(_ status: Int, _ body: String) -> CheckNetwork.Weather {
        .answer(status: status, body: Array(body.utf8))
    }

    /// - Parameter codes: those that fit; none = any.
    private static func trouble(
        _ name: String, _ what: String, _ weather: CheckNetwork.Weather, _ codes: Set<Int32>, lane: Int = 0
    ) -> ConformanceCheck {
        ConformanceCheck(
            name, .trouble, "Where \(what), a call fails in time, with a code and a message", lane: lane
        ) { (bench) throws(Finding) in
            try bench.needsHTTP()
            let instance = try bench.instance(weather)
            try bench.orSkip("create") { () throws(AdapterFailure) in try instance.create() }
            let begin = Clock.monotonic()
            var failure: AdapterFailure?
            do throws(AdapterFailure) {
                try instance.start(within: short)
                try instance.read(within: short)
            } catch {
                failure = error
            }
            let time = Clock.monotonic() - begin
            instance.stop()
            let requests = instance.network.requests
            let seen = instance.services.seen
            instance.destroy()
            try bench.needsHTTP(of: instance)
            guard requests > 0 else { throw .skipped("it has asked nothing of the host's HTTP") }
            // A second for start, one for read, and what the host has of patience.
            try judge(failure, codes, seen, isLate: time > 2 * short + CallTime.patience)
        }
    }

    private static func judge(
        _ failure: AdapterFailure?, _ codes: Set<Int32>, _ seen: CheckServices.Record, isLate: Bool
    ) throws(Finding) {
        guard let failure else {
            let emitted = seen.emits > 0 ? "METER_OK, and a reading was emitted" : "METER_OK"
            throw .failed(
                "start and read answered \(emitted)", expected: "a code that says what is wrong, and no reading",
                advice: "look at the result of perform, then at the status, then at the body")
        }
        if isLate {
            throw .failed(
                "the call overran its deadline by more than 2 s", expected: "an answer by the deadline",
                advice: "pass deadline_ns on to every request")
        }
        guard failure.hasMessage, failure.message.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .failed(
                "code \(failure.code), and no message of one line", expected: "a code, and a message for a person",
                advice: "use meter_fail: say what is wrong, where, and what to do")
        }
        guard codes.isEmpty || codes.contains(failure.code) else {
            throw .warning(
                "code \(failure.code) (\(failure.word)): \(failure.message)",
                expected: "code \(codes.sorted().map(String.init).joined(separator: " or "))",
                advice: "the code decides when the host asks again: docs/adapter-abi.md")
        }
    }
}
