/// Everything that is served: the one table from which routing, `/openapi.json` and `/docs` are made.
package enum RouteTable {
    package static func all(_ house: any HouseView) -> [Route] {
        let api =
            ServiceRoutes.table(house) + NowRoutes.table(house) + HistoryRoutes.table(house)
            + MeterRoutes.table(house) + [EventsRoute.route]
        let documents = DocumentRoutes(describing: api, version: house.version)
        return api + documents.table
    }
}
