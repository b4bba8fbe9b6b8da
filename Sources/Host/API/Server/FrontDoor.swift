/// Every request passes here before it reaches its route: by its head alone, so that what is refused is not read.
struct FrontDoor: Sendable {
    let router: Router
    let limits: ServerLimits

    /// What a request becomes.
    struct Admission {
        let route: Route
        let request: Request
    }

    func admit(_ exchange: Exchange, _ rules: AccessRules) throws(Problem) -> Admission {
        guard exchange.target.utf8.count <= limits.targetBytes else { throw .targetTooLong }
        if let fault = Framing.fault(of: exchange) { throw .ambiguous(fault) }
        let host = exchange.header("host")
        if let host, !rules.hosts.accepts(host) { throw .wrongHost }
        if let length = exchange.header("content-length"), (Int(length) ?? .max) > limits.bodyBytes {
            throw .bodyTooLarge(limits.bodyBytes)
        }
        guard
            let parsed = Request(
                method: Request.Method(rawValue: exchange.method) ?? .other, target: exchange.target,
                headers: exchange.headers)
        else { throw .badTarget }
        var (route, request) = try router.route(parsed)
        request.needsToken = rules.needsToken
        request.isTrusted = rules.trusts(authorization: exchange.header("authorization"))
        guard request.isTrusted || isOpen(route, rules) else { throw .unauthorized }
        if route.method == .post, !rules.needsToken {
            let comesFromHere = OriginCheck.accepts(
                site: exchange.header("sec-fetch-site"), origin: exchange.header("origin"), host: host)
            guard comesFromHere else { throw .otherSite }
        }
        return Admission(route: route, request: request)
    }

    private func isOpen(_ route: Route, _ rules: AccessRules) -> Bool {
        switch route.access {
        case .everybody: true
        case .tokenOnly: false
        case .metrics: rules.areMetricsOpen
        }
    }
}
