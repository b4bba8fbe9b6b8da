/// The table that requests are routed by; the first route that matches answers.
package struct Router: Sendable {
    package let routes: [Route]

    package init(_ routes: [Route]) {
        self.routes = routes
    }

    /// The route of a request, and the request with its path's parameters.
    func route(_ request: Request) throws(Problem) -> (route: Route, request: Request) {
        var allowed: [String] = []
        for route in routes {
            guard let parameters = route.match(request.segments) else { continue }
            guard route.accepts(request.method) else {
                allowed += route.method == .get ? ["GET", "HEAD"] : [route.method.rawValue]
                continue
            }
            var request = request
            request.parameters = parameters
            return (route, request)
        }
        throw allowed.isEmpty ? .notFound : .methodNotAllowed(allowed)
    }
}
