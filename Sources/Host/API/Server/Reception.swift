import Platform
import Readings
import Synchronization

/// Leads each request from its head to its answer: at once, by way of the query thread, or as a stream of events. Lives
/// on the http thread.
final class Reception {
    private let door: FrontDoor
    private let rules: @Sendable () -> AccessRules
    private let queries: QueryThread
    private let feed: EventFeed?
    private var lastID: Exchange.ID = 0
    /// Those that the query thread was asked for, until they are complete.
    private var asked: [Exchange.ID: Exchange] = [:]
    private var isClosing = false

    init(door: FrontDoor, rules: @escaping @Sendable () -> AccessRules, queries: QueryThread, feed: EventFeed?) {
        self.door = door
        self.rules = rules
        self.queries = queries
        self.feed = feed
    }

    var limits: ServerLimits { door.limits }

    func begin(target: String) -> Exchange {
        lastID += 1
        return Exchange(id: lastID, target: target)
    }

    /// The head is there. What is answered now is a refusal.
    func admit(_ exchange: Exchange) -> Response? {
        do throws(Problem) {
            exchange.phase = .admitted(try door.admit(exchange, rules()))
            return nil
        } catch {
            return error.response
        }
    }

    /// The request is complete, or its connection goes on. Nil = not yet: the connection is to be suspended.
    func answer(_ exchange: Exchange, on connection: Connection) -> Answer? {
        switch exchange.phase {
        case .admitted(let admission): return answer(exchange, admission, on: connection)
        case .ready(let answer): return answer
        case .arriving, .waiting, .answered: return Answer.none
        }
    }

    private func answer(_ exchange: Exchange, _ admission: FrontDoor.Admission, on connection: Connection) -> Answer? {
        guard !isClosing else { return Answer.none }
        do throws(Problem) {
            switch admission.route.handler {
            case .now(let handler): return .whole(try handler(admission.request))
            case .stored(let handler):
                exchange.peer = connection.peer
                let share = asked.values.count { $0.peer == exchange.peer }
                guard share < limits.queriesPerAddress, queries.ask(exchange.id, try handler(admission.request)) else {
                    throw .busy
                }
                asked[exchange.id] = exchange
                exchange.phase = .waiting(connection)
                return nil
            case .events:
                // A proxy that gathers bytes before it hands them on would hold events back: nginx is told not to.
                let head = Response(
                    contentType: "text/event-stream", body: [], headers: [("X-Accel-Buffering", "no")])
                guard admission.request.method == .get else { return .whole(head) }
                guard let reader = feed?.join(now: Clock.monotonic(), from: connection.peer) else { throw .busy }
                return .stream(head, reader)
            }
        } catch {
            return .whole(error.response)
        }
    }

    /// The exchange is over: its answer was sent, or its client has gone.
    func end(_ exchange: Exchange) {
        if asked.removeValue(forKey: exchange.id) != nil { queries.forget(exchange.id) }
        if case .answered(.stream(_, let reader)) = exchange.phase, let reader = reader as? EventReader {
            feed?.leave(reader)
        }
    }

    // MARK: Between requests

    func take(_ reply: QueryThread.Reply) {
        switch reply {
        case .whole(let id, let response): give(.whole(response), to: id)
        case .begin(let id, let response):
            guard case .bytes(let first) = response.body else { return }
            let reader = PieceReader(first: first) { [queries] in queries.goOn(id) }
            give(.stream(response, reader), to: id)
        case .piece(let id, let piece): pieces(of: id)?.take(piece)
        case .broken(let id): pieces(of: id)?.fail()
        }
    }

    private func give(_ answer: Answer, to id: Exchange.ID) {
        guard let exchange = asked[id], case .waiting(let connection) = exchange.phase else { return }
        exchange.phase = .ready(answer)
        connection.resume()
    }

    private func pieces(of id: Exchange.ID) -> PieceReader? {
        guard let exchange = asked[id] else { return nil }
        switch exchange.phase {
        case .ready(.stream(_, let reader)), .answered(.stream(_, let reader)): return reader as? PieceReader
        default: return nil
        }
    }

    /// When `tend` is due (monotonic ns); nil = not by itself.
    var wakeAt: Int64? { feed?.wakeAt }

    func tend(now: Int64) { feed?.tend(now: now) }

    /// Another token is needed: those who are told of the house by the old one, or by none, are told no longer.
    func endEvents() { feed?.dropClients() }

    /// Lets every connection go on that waits for something, to its end.
    func close() {
        isClosing = true
        feed?.dropClients()
        for exchange in asked.values {
            switch exchange.phase {
            case .waiting(let connection):
                exchange.phase = .ready(Answer.none)
                connection.resume()
            case .answered(.stream(_, let reader)): reader.close()
            default: break
            }
        }
    }
}
