import Analysis
import Readings

/// 15-minute buckets, made of the slots within them: again, whenever one of these is new or has changed. They stay when
/// the raw slots are gone, and are left alone from then on.
struct Buckets {
    /// A bucket of an instance, by its start.
    private struct Key: Hashable {
        let instance: Int
        let start: Instant

        /// The bucket that a slot lies in. An interval divides 15 minutes, so a slot never lies in two.
        init(of slot: Slot) {
            instance = slot.instance
            start = slot.end.slotEnd(interval: Bucket.length) - Bucket.length
        }
    }

    /// The bucket of each instance that new slots go to: known, so that it is not read again for each of them.
    private var open: [Int: BucketSum] = [:]
    /// The newest bucket of each instance that has no prices, where that was looked for.
    private var newestUnpriced: [Int: Instant] = [:]

    /// After a transaction that failed nothing is known.
    mutating func forget() {
        open = [:]
        newestUnpriced = [:]
    }

    /// Brings the buckets of slots that were just written up to date, within the caller's transaction.
    ///
    /// - Parameters:
    ///   - prunedTo: slots that ended up to here may be gone; a bucket that begins before, and is there, is not touched.
    ///   - prices: what a new bucket gets. One that was begun without a tariff stays without.
    mutating func refresh(
        added: [Slot], changed: [Slot], prunedTo: Instant, prices: PriceList?, in database: Database
    ) throws(StorageError) {
        var sums: [Key: BucketSum] = [:]
        for slot in changed {
            let key = Key(of: slot)
            guard key.start >= prunedTo, sums[key] == nil else { continue }
            sums[key] = try remade(key, database)
        }
        let remade = Set(sums.keys)
        for slot in added where !slot.isFirstLight {
            let key = Key(of: slot)
            // What was just made anew has the new slots in it.
            guard !remade.contains(key) else { continue }
            if sums[key] == nil {
                // A quarter hour that never was has no slots that are gone.
                if key.start < prunedTo, try self.prices(key, database) != nil { continue }
                sums[key] = try begun(key, added, database)
            }
            sums[key]?.add(slot)
        }
        for (key, sum) in sums {
            var sum = sum
            if sum.isNew, sum.isHouse, let prices, try !isBeforeTariff(key, database) {
                sum.prices = prices.prices(at: key.start)
            }
            sum.isNew = false
            try write(sum.bucket, of: key.instance, in: database)
            if sum.prices == nil, let newest = newestUnpriced[key.instance] {
                newestUnpriced[key.instance] = max(newest, key.start)
            }
            if let newest = open[key.instance], newest.start > sum.start { continue }
            open[key.instance] = sum
        }
    }

    /// What the slots of a bucket were before those that were just added.
    private func begun(_ key: Key, _ added: [Slot], _ database: Database) throws(StorageError) -> BucketSum {
        if let sum = open[key.instance], sum.start == key.start { return sum }
        var sum = try empty(key, database)
        guard !sum.isNew else { return sum }
        for slot in try slots(key, database) where !added.contains(where: { Self.isSame($0, slot) }) { sum.add(slot) }
        return sum
    }

    private func remade(_ key: Key, _ database: Database) throws(StorageError) -> BucketSum {
        var sum = try empty(key, database)
        for slot in try slots(key, database) { sum.add(slot) }
        return sum
    }

    /// A bucket without slots, with the prices that it has if it is there.
    private func empty(_ key: Key, _ database: Database) throws(StorageError) -> BucketSum {
        var sum = BucketSum(start: key.start)
        guard let prices = try prices(key, database) else { return sum }
        sum.isNew = false
        sum.prices = prices.prices
        return sum
    }

    /// Whether a quarter hour behind it was measured without a tariff: what held at the time of this one is not known either.
    private mutating func isBeforeTariff(_ key: Key, _ database: Database) throws(StorageError) -> Bool {
        if let newest = newestUnpriced[key.instance] { return key.start < newest }
        let row = try database.statement("SELECT max(start) FROM bucket WHERE instance = ? AND import_price IS NULL")
        row.bind(1, Int64(key.instance))
        defer { row.reset() }
        let newest = try row.step() ? row.optionalInteger(0).map(Instant.init(nanoseconds:)) : nil
        newestUnpriced[key.instance] = newest ?? Instant(nanoseconds: .min)
        return newest.map { key.start < $0 } ?? false
    }

    private static func isSame(_ first: Slot, _ second: Slot) -> Bool {
        first.instance == second.instance && first.end == second.end
    }

    /// First light is skipped by every sum.
    private func slots(_ key: Key, _ database: Database) throws(StorageError) -> [Slot] {
        try SlotQueries.slots(database, of: key.instance, from: key.start, to: key.start + Bucket.length)
            .filter { !$0.isFirstLight }
    }

    /// What a bucket that is there was priced at: a new tariff changes nothing of the past. Nil = there is none yet.
    private func prices(_ key: Key, _ database: Database) throws(StorageError) -> (prices: Prices?, Void)? {
        let row = try database.statement(
            "SELECT import_price, export_price, fixed_price FROM bucket WHERE instance = ? AND start = ?")
        row.bind(1, Int64(key.instance))
        row.bind(2, key.start.nanoseconds)
        defer { row.reset() }
        guard try row.step() else { return nil }
        guard let bought = row.optionalReal(0), let sold = row.optionalReal(1), let fixed = row.optionalReal(2) else {
            return (nil, ())
        }
        return (Prices(importPerKWh: bought, exportPerKWh: sold, fixedPerDay: fixed), ())
    }

    private func write(_ bucket: Bucket, of instance: Int, in database: Database) throws(StorageError) {
        let insert = try database.statement(Self.insert)
        insert.bind(1, Int64(instance))
        BucketRows.bind(bucket, to: insert, from: 2)
        try insert.run()
    }

    private static let insert =
        "INSERT OR REPLACE INTO bucket (instance, \(BucketRows.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}
