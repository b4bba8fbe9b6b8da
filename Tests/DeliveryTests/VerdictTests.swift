import Testing

@testable import Delivery

@Suite struct VerdictTests {
    private enum Means: Sendable {
        case accepted, named, unnamed, tooLarge, unauthorized, notFound, misconfigured, busy
    }

    @Test(arguments: [
        (204, "", Means.accepted),
        (200, "", .accepted),
        (200, "<html>please log in</html>", .misconfigured),
        (400, #"{"error":"partial write: field type conflict: input field \"a\" dropped=1"}"#, .named),
        (400, #"{"error":"unable to parse 'x': missing fields"}"#, .named),
        (400, #"{"error":"partial write: points beyond retention policy dropped=1"}"#, .named),
        (422, #"{"code":"unprocessable entity","message":"failure writing points: partial write"}"#, .named),
        (400, #"{"code":"invalid","message":"something else"}"#, .unnamed),
        (400, "Client sent an HTTP request to an HTTPS server.", .misconfigured),
        (400, #"{"unrelated":true}"#, .misconfigured),
        (400, "{", .misconfigured),
        (301, "", .misconfigured),
        (405, "", .misconfigured),
        (401, #"{"error":"authorization failed"}"#, .unauthorized),
        (403, "", .unauthorized),
        (404, #"{"error":"database not found: \"x\""}"#, .notFound),
        (413, "<html>413</html>", .tooLarge),
        (408, "", .busy),
        (429, "", .busy),
        (503, "", .busy),
        (500, "", .busy),
        (500, #"{"error":"internal"}"#, .busy),
        (500, #"{"code":"internal error","message":"field type conflict"}"#, .named),
        (500, "partial write: field type conflict", .named),
        (502, "<html>bad gateway</html>", .busy),
        (599, "", .busy),
    ]) private func `each answer means what the table says`(status: Int, body: String, means: Means) {
        let verdict = Verdict(status: status, body: Array(body.utf8), retryAfter: 3)
        let meant: Means =
            switch verdict {
            case .accepted: .accepted
            case .faulty(_, _, true): .named
            case .faulty(_, _, false): .unnamed
            case .tooLarge: .tooLarge
            case .unauthorized: .unauthorized
            case .notFound: .notFound
            case .misconfigured: .misconfigured
            case .busy: .busy
            }
        #expect(meant == means)
    }

    @Test func `InfluxDB 3 numbers the lines that it left out`() {
        let body = """
            {"error":"partial write of line protocol occurred","data":[
            {"original_line":"x","line_number":2,"error_message":"no fields"},
            {"original_line":"y","line_number":5,"error_message":"no fields"}]}
            """
        guard case .faulty(let words, let lines, true) = Verdict(status: 400, body: Array(body.utf8), retryAfter: 0)
        else { return #expect(Bool(false), "not a fault of lines") }
        #expect(lines == [2, 5])
        #expect(words == "partial write of line protocol occurred (no fields)")
    }

    @Test func `numbers count only where the others are said to be stored`() {
        let body = #"{"error":"parsing failed for write_lp endpoint","data":[{"line_number":2}]}"#
        guard case .faulty(_, let lines, true) = Verdict(status: 400, body: Array(body.utf8), retryAfter: 0)
        else { return #expect(Bool(false), "not a fault of lines") }
        #expect(lines.isEmpty)
    }
}
