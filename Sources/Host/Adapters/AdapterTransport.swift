import Platform
import Synchronization
import Transfer

/// The network as one instance has it: carries out its requests, one at a time.
protocol AdapterTransport: Sendable {
    /// Gets an answer's body with its head, in one piece or in several, on the calling thread; false = no more of it.
    typealias Take = (HTTPResponse, ArraySlice<UInt8>) -> Bool

    /// - Parameters:
    ///   - deadline: monotonic ns.
    ///   - interrupt: a descriptor that ends the request when it becomes readable; -1 = none.
    func perform(
        _ request: HTTPRequest, until deadline: Int64, interrupt: Int32, take: Take
    ) -> Result<HTTPResponse, TransferError>
    /// The instance is gone.
    func close()
}

/// The real one.
final class NetworkTransport: AdapterTransport {
    private let client = Mutex<HTTPClient?>(nil)
    private static let userAgent = "smart-meter"

    func perform(
        _ request: HTTPRequest, until deadline: Int64, interrupt: Int32, take: Take
    ) -> Result<HTTPResponse, TransferError> {
        let result: Result<HTTPResponse, TransferError> = client.withLock { client in
            do throws(TransferError) {
                let current = if let client { client } else { try HTTPClient(userAgent: Self.userAgent) }
                client = current
                return .success(try current.perform(request, until: deadline, interrupt: interrupt))
            } catch {
                return .failure(error)
            }
        }
        if case .success(let answer) = result, !answer.body.isEmpty { _ = take(answer, answer.body[...]) }
        return result
    }

    func close() { client.withLock { $0 = nil } }
}
