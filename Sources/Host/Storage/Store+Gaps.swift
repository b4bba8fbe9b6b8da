package import Readings

/// What of an instance's time is stored, and what was asked of its meter's log.
extension Store {
    /// How well a slot is measured.
    package struct Coverage: Hashable, Sendable {
        package var start: Instant
        package var end: Instant
        package var coverage: Double
        package var quality: Quality
        /// A quarter hour of which slots may be gone: it stays as it is, so nothing of it is missing.
        package var isClosed = false
    }

    /// Of an instance's slots that end within (from, to], oldest first; first light is left out. Where slots may be gone
    /// their quarter hours answer, and for the whole of their time: some of the slots may still be there.
    package func coverage(of instance: Int, from: Instant, to: Instant) throws(StorageError) -> [Coverage] {
        let slots = try rows(
            "SELECT start, end, coverage, quality FROM slot WHERE instance = ? AND end > ? AND end <= ? AND start < end ORDER BY end",
            instance, from, to)
        var closed = try rows(
            """
            SELECT start, start + \(Bucket.length), covered_s / 900.0, 0 FROM bucket
            WHERE instance = ? AND start > ? AND start < ? ORDER BY start
            """, instance, from - Bucket.length, min(to, prunedTo))
        guard !closed.isEmpty else { return slots }
        for index in closed.indices { closed[index].isClosed = true }
        let quarters = Set(closed.map(\.end))
        let open = slots.filter { !quarters.contains($0.end.slotEnd(interval: Bucket.length)) }
        return (closed + open).sorted { $0.end < $1.end }
    }

    private func rows(
        _ sql: String, _ instance: Int, _ from: Instant, _ to: Instant
    ) throws(StorageError) -> [Coverage] {
        let rows = try database.statement(sql)
        defer { rows.reset() }
        rows.bind(1, Int64(instance))
        rows.bind(2, from.nanoseconds)
        rows.bind(3, to.nanoseconds)
        var result: [Coverage] = []
        while try rows.step() {
            result.append(
                Coverage(
                    start: Instant(nanoseconds: rows.integer(0)), end: Instant(nanoseconds: rows.integer(1)),
                    coverage: rows.real(2),
                    quality: UInt8(exactly: rows.integer(3)).flatMap(Quality.init(rawValue:)) ?? .unknown))
        }
        return result
    }

    /// When the instance's first reading was accepted; nil before. Where its slot is no longer kept, its quarter hour says it:
    /// by its end, since nothing before the reading is missing.
    package func firstReading(of instance: Int) throws(StorageError) -> Instant? {
        let row = try database.statement(
            """
            SELECT min(first) FROM (SELECT min(end) AS first FROM slot WHERE instance = ?1
                                    UNION ALL SELECT min(start) + \(Bucket.length) FROM bucket WHERE instance = ?1)
            """)
        defer { row.reset() }
        row.bind(1, Int64(instance))
        guard try row.step() else { return nil }
        return row.optionalInteger(0).map(Instant.init(nanoseconds:))
    }

    /// Spans that need not be asked: for good, or until later than `now`.
    package func asked(of instance: Int, now: Instant) throws(StorageError) -> [Range<Instant>] {
        let rows = try database.statement(
            "SELECT start, end FROM asked WHERE instance = ? AND (retry_at IS NULL OR retry_at > ?) ORDER BY start")
        defer { rows.reset() }
        rows.bind(1, Int64(instance))
        rows.bind(2, now.nanoseconds)
        var spans: [Range<Instant>] = []
        while try rows.step() {
            let (start, end) = (Instant(nanoseconds: rows.integer(0)), Instant(nanoseconds: rows.integer(1)))
            if start < end { spans.append(start..<end) }
        }
        return spans
    }

    /// When something that could not be answered may be asked again; nil = nothing waits for a time.
    package func nextAsking(of instance: Int, after now: Instant) throws(StorageError) -> Instant? {
        let row = try database.statement("SELECT min(retry_at) FROM asked WHERE instance = ? AND retry_at > ?")
        defer { row.reset() }
        row.bind(1, Int64(instance))
        row.bind(2, now.nanoseconds)
        guard try row.step() else { return nil }
        return row.optionalInteger(0).map(Instant.init(nanoseconds:))
    }

    func write(_ record: AskedRecord) throws(StorageError) {
        guard let answer = record.answer else {
            let delete = try database.statement("DELETE FROM asked WHERE instance = ? AND end > ? AND start < ?")
            delete.bind(1, Int64(record.instance))
            delete.bind(2, record.span.lowerBound.nanoseconds)
            delete.bind(3, record.span.upperBound.nanoseconds)
            return try delete.run()
        }
        // Neighbours of one answer become one row: a log that is asked for years stays a short list.
        var span = record.span
        if record.retryAt == nil {
            let near = try database.statement(
                """
                SELECT min(start), max(end) FROM asked
                WHERE instance = ? AND answer = ? AND retry_at IS NULL AND start <= ? AND end >= ?
                """)
            bind(near, record, answer, span)
            if try near.step(), let start = near.optionalInteger(0), let end = near.optionalInteger(1) {
                span =
                    min(span.lowerBound, Instant(nanoseconds: start))..<max(span.upperBound, Instant(nanoseconds: end))
            }
            near.reset()
            let merge = try database.statement(
                "DELETE FROM asked WHERE instance = ? AND answer = ? AND retry_at IS NULL AND start <= ? AND end >= ?")
            bind(merge, record, answer, span)
            try merge.run()
        }
        let insert = try database.statement(
            "INSERT OR REPLACE INTO asked (instance, start, end, answer, retry_at) VALUES (?, ?, ?, ?, ?)")
        insert.bind(1, Int64(record.instance))
        insert.bind(2, span.lowerBound.nanoseconds)
        insert.bind(3, span.upperBound.nanoseconds)
        insert.bind(4, answer)
        insert.bind(5, record.retryAt?.nanoseconds)
        try insert.run()
    }

    private func bind(_ statement: Statement, _ record: AskedRecord, _ answer: String, _ span: Range<Instant>) {
        statement.bind(1, Int64(record.instance))
        statement.bind(2, answer)
        statement.bind(3, span.upperBound.nanoseconds)
        statement.bind(4, span.lowerBound.nanoseconds)
    }
}
