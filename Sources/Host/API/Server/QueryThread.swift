import Platform
import Synchronization

/// Answers what needs the store on a thread of its own, so that the http thread never touches disk or SQL. Queries have
/// their turns: a long one does not keep a short one waiting for longer than a piece takes.
final class QueryThread: Sendable {
    typealias ID = UInt64

    enum Reply: Sendable {
        /// The whole answer.
        case whole(ID, Response)
        /// The head of a long answer, and its first piece.
        case begin(ID, Response)
        case piece(ID, Piece)
        /// The store failed in the middle of a long answer.
        case broken(ID)
    }

    private enum Order: Sendable {
        case ask(ID, StoreQuery)
        case goOn(ID)
        case forget(ID)

        func isAbout(_ wanted: ID) -> Bool {
            switch self {
            case .ask(let id, _), .goOn(let id), .forget(let id): id == wanted
            }
        }
    }

    /// What the thread owns.
    private struct Desk {
        var turns: [Order] = []
        var sources: [ID: any PieceSource] = [:]
    }

    private let doorbell: Doorbell
    private let orders: Mailbox<Order>
    private let replies: Mailbox<Reply>
    private let isStopping = Atomic<Bool>(false)
    private let open = Atomic<Int>(0)
    private let limit: Int

    /// - Parameters:
    ///   - replies: to the http thread.
    ///   - limit: queries at a time, those that wait included.
    init(replies: Mailbox<Reply>, limit: Int) throws(SystemError) {
        self.replies = replies
        self.limit = limit
        doorbell = try Doorbell()
        orders = Mailbox(doorbell: doorbell)
    }

    /// The thread's body, until `stop`.
    func run() {
        var desk = Desk()
        while !isStopping.load(ordering: .acquiring) {
            take(orders.take(), &desk)
            if desk.turns.isEmpty {
                doorbell.wait(until: nil)
            } else {
                perform(desk.turns.removeFirst(), &desk)
            }
        }
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        doorbell.ring()
    }

    // MARK: The http thread's side

    /// False where too many are asked already.
    func ask(_ id: ID, _ query: @escaping StoreQuery) -> Bool {
        guard open.add(1, ordering: .relaxed).newValue <= limit else {
            open.subtract(1, ordering: .relaxed)
            return false
        }
        orders.post(.ask(id, query))
        return true
    }

    /// The next piece is wanted.
    func goOn(_ id: ID) { orders.post(.goOn(id)) }

    /// The answer is complete, or nobody wants it any more. Once for each `ask` that was taken.
    func forget(_ id: ID) {
        open.subtract(1, ordering: .relaxed)
        orders.post(.forget(id))
    }

    // MARK: The query thread's side

    private func take(_ orders: [Order], _ desk: inout Desk) {
        for order in orders {
            guard case .forget(let id) = order else {
                desk.turns.append(order)
                continue
            }
            desk.sources[id] = nil
            desk.turns.removeAll { $0.isAbout(id) }
        }
    }

    private func perform(_ turn: Order, _ desk: inout Desk) {
        switch turn {
        case .ask(let id, let query): begin(id, query, &desk)
        case .goOn(let id): goOn(id, &desk)
        case .forget: break
        }
    }

    private func begin(_ id: ID, _ query: StoreQuery, _ desk: inout Desk) {
        do throws(Problem) {
            switch try query() {
            case .whole(let response): replies.post(.whole(id, response))
            case .pieces(let contentType, let headers, var source):
                let first = try source.next()
                let response = Response(contentType: contentType, body: first.bytes, headers: headers)
                if first.isLast {
                    replies.post(.whole(id, response))
                } else {
                    desk.sources[id] = source
                    replies.post(.begin(id, response))
                }
            }
        } catch {
            replies.post(.whole(id, error.response))
        }
    }

    private func goOn(_ id: ID, _ desk: inout Desk) {
        guard var source = desk.sources[id] else { return }
        do throws(Problem) {
            let piece = try source.next()
            if piece.bytes.isEmpty, !piece.isLast {
                // Its turn was too short for anything: another one, after the others.
                desk.turns.append(.goOn(id))
            } else {
                replies.post(.piece(id, piece))
            }
            desk.sources[id] = piece.isLast ? nil : source
        } catch {
            desk.sources[id] = nil
            replies.post(.broken(id))
        }
    }
}
