/// What describes the API, and the pages.
struct DocumentRoutes {
    /// Where a token is needed, and where none is.
    private let guarded: [UInt8]
    private let open: [UInt8]

    /// - Parameter routes: what is described, these documents aside.
    init(describing routes: [Route], version: String) {
        let routes = routes + [Self.description(guarded: [], open: [])]
        guarded = OpenAPI(routes: routes, version: version, needsToken: true).body
        open = OpenAPI(routes: routes, version: version, needsToken: false).body
    }

    var table: [Route] { [Self.description(guarded: guarded, open: open)] + Page.all.map(Self.route) }

    private static func description(guarded: [UInt8], open: [UInt8]) -> Route {
        Route(
            .get, "/openapi.json", .service, "This API in OpenAPI 3.1.", access: .everybody,
            answers: [.of("application/json", "The description.")],
            handler: .now { request in .json(request.needsToken ? guarded : open) })
    }

    private static func route(of page: Page) -> Route {
        Route(
            .get, page.path, .pages, "A file of a page.", access: .everybody,
            answers: [.of(page.contentType, "The file."), DocumentedAnswer(status: 304, about: "", contents: [])],
            handler: .now { request in
                let headers = [
                    ("Content-Security-Policy", policy), ("Cache-Control", "no-cache"), ("ETag", page.etag),
                ]
                guard request.header("if-none-match") != page.etag else {
                    return Response(status: 304, contentType: page.contentType, body: [], headers: headers)
                }
                return Response(contentType: page.contentType, body: .page(page), headers: headers)
            })
    }

    /// Scripts, styles and requests of this server alone, and nothing inline: a name that gets into a page by mistake
    /// stays text.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
