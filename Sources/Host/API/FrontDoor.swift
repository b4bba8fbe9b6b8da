/// Every request passes here before it reaches the routes, and every answer on its way out.
struct FrontDoor: Sendable {
    let router: Router
    let hosts: HostCheck
    let limits: ServerLimits

    /// What is wrong with a request whose body has not been read yet.
    func refusal(of exchange: Exchange) -> Response? {
        if exchange.target.utf8.count > limits.targetBytes { return Problem.targetTooLong.response }
        if let host = exchange.header("host"), !hosts.accepts(host) { return Problem.wrongHost.response }
        if let length = exchange.header("content-length"), (Int(length) ?? .max) > limits.bodyBytes {
            return Problem.bodyTooLarge(limits.bodyBytes).response
        }
        return nil
    }

    func answer(to exchange: Exchange) -> Response {
        let method = Request.Method(rawValue: exchange.method) ?? .other
        guard
            let request = Request(
                method: method, target: exchange.target, headers: exchange.headers, body: exchange.body)
        else { return Problem.badTarget.response }
        return router.respond(to: request)
    }
}
