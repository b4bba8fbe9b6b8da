import Readings

/// How a bucket lies in its table: the one place that knows the order of the columns.
enum BucketRows {
    static let columns = "\(houseColumns), circuits"
    /// Without what is of the circuits: most of a row, where there are many.
    static let houseColumns = """
        start, imported_mj, exported_mj, produced_mj, consumed_mj, charged_mj, discharged_mj, billed_mj, mean_w, \
        minimum_w, maximum_w, covered_s, quality, import_price, export_price, fixed_price
        """

    /// Binds `columns` from `first` on.
    static func bind(_ bucket: Bucket, to statement: Statement, from first: Int32) {
        statement.bind(first, bucket.start.nanoseconds)
        for (index, flow) in Flow.allCases.enumerated() {
            statement.bind(first + 1 + Int32(index), bucket.energy[flow])
        }
        statement.bind(first + 7, bucket.billed)
        statement.bind(first + 8, bucket.powerW)
        statement.bind(first + 9, bucket.minimumPowerW)
        statement.bind(first + 10, bucket.maximumPowerW)
        statement.bind(first + 11, bucket.coveredSeconds)
        statement.bind(first + 12, Int64(bucket.quality.rawValue))
        statement.bind(first + 13, bucket.importPrice)
        statement.bind(first + 14, bucket.exportPrice)
        statement.bind(first + 15, bucket.fixedPrice)
        statement.bind(first + 16, CircuitCoding.encode(bucket.circuits))
    }

    /// Reads `columns` from `first` on.
    static func bucket(in row: Statement, from first: Int32) throws(StorageError) -> Bucket {
        var bucket = house(in: row, from: first)
        guard let circuits = CircuitCoding.decodeBucket(row.blob(first + 16)) else {
            throw StorageError(.corrupt, "the circuits of the bucket from \(bucket.start.seconds) cannot be read")
        }
        bucket.circuits = circuits
        return bucket
    }

    /// Reads `houseColumns` from `first` on.
    static func house(in row: Statement, from first: Int32) -> Bucket {
        var bucket = Bucket(
            start: Instant(nanoseconds: row.integer(first)), coveredSeconds: row.real(first + 11))
        for (index, flow) in Flow.allCases.enumerated() {
            bucket.energy[flow] = row.optionalInteger(first + 1 + Int32(index))
        }
        bucket.billed = row.optionalInteger(first + 7)
        bucket.powerW = row.optionalReal(first + 8)
        bucket.minimumPowerW = row.optionalReal(first + 9)
        bucket.maximumPowerW = row.optionalReal(first + 10)
        bucket.quality = SlotRows.quality(row.integer(first + 12))
        bucket.importPrice = row.optionalReal(first + 13)
        bucket.exportPrice = row.optionalReal(first + 14)
        bucket.fixedPrice = row.optionalReal(first + 15)
        return bucket
    }
}
