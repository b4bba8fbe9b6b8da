import Platform
import Readings
import Synchronization
import Transfer

/// The network of an adapter that is being checked: the real one, or trouble in its place.
final class CheckNetwork: AdapterTransport {
    enum Weather: Sendable {
        case real
        /// The real one, its answers in pieces of one byte.
        case pieces
        case refused
        case hanging
        /// A good head, then a byte now and then.
        case dripping
        case answer(status: Int, body: [UInt8], retryAfter: Int64 = 0)
        /// Each answer is another, as the seed has it.
        case random(seed: UInt64)
    }

    private struct State {
        var weather: Weather
        var requests = 0
    }

    private let state: Mutex<State>
    private let network = NetworkTransport()
    private static let drip = 100 * Duration.millisecond
    private static let piece = 64 << 10

    init(_ weather: Weather) { state = Mutex(State(weather: weather)) }

    /// From the next request on.
    func set(_ weather: Weather) { state.withLock { $0.weather = weather } }

    var isReal: Bool {
        switch state.withLock({ $0.weather }) {
        case .real, .pieces: true
        default: false
        }
    }

    /// How many have been made.
    var requests: Int { state.withLock { $0.requests } }

    func close() { network.close() }

    func perform(
        _ request: HTTPRequest, until deadline: Int64, interrupt: Int32, take: Take
    ) -> Result<HTTPResponse, TransferError> {
        let (weather, number) = state.withLock { state in
            state.requests += 1
            return (state.weather, state.requests)
        }
        switch weather {
        case .real: return network.perform(request, until: deadline, interrupt: interrupt, take: take)
        case .pieces:
            return network.perform(request, until: deadline, interrupt: interrupt) { answer, body in
                body.indices.allSatisfy { take(answer, body[$0...$0]) }
            }
        case .refused:
            return .failure(TransferError(kind: .unreachable, message: "the connection was refused"))
        case .hanging: return wait(until: deadline, interrupt)
        case .dripping:
            let answer = Self.response(200, [], 0)
            for byte in Array(#"{"":"#.utf8) where take(answer, [byte]) {
                let next = min(deadline, Clock.monotonic() + Self.drip)
                if Poll.readable(interrupt, until: next) { break }
            }
            return wait(until: deadline, interrupt)
        case .answer(let status, let body, let retryAfter):
            return give(Self.response(status, body, retryAfter), to: request, take)
        case .random(let seed):
            var random = SeededNumbers(seed: seed &+ UInt64(number))
            return give(Self.randomAnswer(&random), to: request, take)
        }
    }

    private func wait(until deadline: Int64, _ interrupt: Int32) -> Result<HTTPResponse, TransferError> {
        Poll.readable(interrupt, until: deadline)
            ? .failure(TransferError(kind: .cancelled, message: "the request was cancelled"))
            : .failure(TransferError(kind: .timeout, message: "the server did not answer in time"))
    }

    private func give(
        _ answer: HTTPResponse, to request: HTTPRequest, _ take: Take
    ) -> Result<HTTPResponse, TransferError> {
        guard answer.body.count <= request.maximumBodyBytes else {
            return .failure(
                TransferError(
                    kind: .tooLarge, message: "the server answered with more than \(request.maximumBodyBytes) bytes"))
        }
        for start in stride(from: 0, to: answer.body.count, by: Self.piece) {
            guard take(answer, answer.body[start..<min(start + Self.piece, answer.body.count)]) else { break }
        }
        return .success(answer)
    }

    private static func response(_ status: Int, _ body: [UInt8], _ retryAfter: Int64) -> HTTPResponse {
        var answer = HTTPResponse()
        answer.status = status
        answer.body = body
        answer.contentType = "application/json"
        answer.retryAfter = retryAfter
        return answer
    }

    private static func randomAnswer(_ random: inout SeededNumbers) -> HTTPResponse {
        let statuses = [200, 200, 200, 200, 204, 301, 400, 403, 500, 599]
        let status = statuses[random.below(statuses.count)]
        return response(status, random.below(3) == 0 ? random.bytes(random.below(200)) : json(&random), 0)
    }

    /// Something that looks like JSON, and may be cut off.
    private static func json(_ random: inout SeededNumbers) -> [UInt8] {
        let parts = [
            "{", "}", "[", "]", ":", ",", "\"power\"", "\"", "null", "true", "-", "1e999", "12.5", "NaN", "\\u0000",
            "\\",
            "0", "99999999999999999999", " ", "{\"power\":", "[[[[[[[[", "\"\u{FFFD}\"", "\n",
        ]
        var text: [UInt8] = []
        for _ in 0..<random.below(60) { text += Array(parts[random.below(parts.count)].utf8) }
        return text
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 56) }
    }
}
