import CSQLite
import Platform

/// One SQLite connection, confined to the thread that opened it.
@safe final class Database {
    // The connection is opened in init and closed in deinit; nothing outside of this file and Statement sees it.
    fileprivate let handle: OpaquePointer
    let path: String
    private var statements: [String: Statement] = [:]
    /// Read by SQLite while a statement runs.
    private let patience = Patience()

    enum Access {
        case writer
        case reader
    }

    init(path: String, access: Access) throws(StorageError) {
        self.path = path
        var handle: OpaquePointer?
        let flags =
            access == .writer
            ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
            : SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
        let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle = unsafe handle else {
            unsafe sqlite3_close_v2(handle)
            throw StorageError(
                Self.kind(of: code), "cannot open \(path): \(unsafe String(cString: sqlite3_errstr(code)))")
        }
        unsafe self.handle = handle
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, 5000)
        switch access {
        case .writer: try configureWriter()
        case .reader: try run("PRAGMA cache_size = -256")
        }
        // `patience` lives for as long as the connection.
        unsafe sqlite3_progress_handler(handle, 10_000, isOverdue, Unmanaged.passUnretained(patience).toOpaque())
        try run("PRAGMA mmap_size = 0")
    }

    deinit {
        statements = [:]
        unsafe sqlite3_close_v2(handle)
    }

    /// What durability stands on is read back: a file system that refuses it is an error at the start.
    private func configureWriter() throws(StorageError) {
        if try number("PRAGMA page_count") == 0 { try run("PRAGMA auto_vacuum = INCREMENTAL") }
        try run("PRAGMA journal_mode = WAL")
        try run("PRAGMA synchronous = FULL")
        try run("PRAGMA cache_size = -1024")
        try run("PRAGMA foreign_keys = OFF")
        try run("PRAGMA wal_autocheckpoint = 1000")
        guard try text("PRAGMA journal_mode") == "wal", try number("PRAGMA synchronous") == 2 else {
            throw StorageError(.inputOutput, "\(path): the file system does not support SQLite's WAL mode")
        }
    }

    /// Runs statements that give no rows.
    func run(_ sql: String) throws(StorageError) {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, sql) }
    }

    /// A prepared statement, kept for the next time.
    func statement(_ sql: String) throws(StorageError) -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try Statement(sql, on: self)
        statements[sql] = statement
        return statement
    }

    /// All or nothing.
    func transaction(_ body: () throws(StorageError) -> Void) throws(StorageError) {
        try run("BEGIN IMMEDIATE")
        do {
            try body()
            try run("COMMIT")
        } catch {
            // After some errors SQLite has rolled back by itself.
            if unsafe sqlite3_get_autocommit(handle) == 0 { try? run("ROLLBACK") }
            throw error
        }
    }

    /// From now on statements that run beyond `deadline` (monotonic ns; nil = for ever) fail with `tooSlow`.
    func cut(at deadline: Int64?) { patience.deadline = deadline }

    func number(_ sql: String) throws(StorageError) -> Int64? {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }

    /// As `number`, for a statement that is not the same the next time: it is not kept.
    func once(_ sql: String) throws(StorageError) -> Int64? {
        let statement = try Statement(sql, on: self)
        return try statement.step() ? statement.optionalInteger(0) : nil
    }

    func text(_ sql: String) throws(StorageError) -> String? {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : nil
    }

    /// Rows that the last statement changed.
    var changes: Int64 { unsafe sqlite3_changes64(handle) }

    fileprivate func error(_ code: Int32, _ sql: String) -> StorageError {
        let words = unsafe String(cString: sqlite3_errmsg(handle))
        return StorageError(Self.kind(of: code), "\(path): \(words) (in: \(sql.prefix(60)))")
    }

    private static func kind(of code: Int32) -> StorageError.Kind {
        switch code & 0xFF {
        case SQLITE_FULL: .full
        case SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: .inputOutput
        case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_INTERRUPT: .tooSlow
        default: .other
        }
    }
}

/// Until when a connection's statements may run.
private final class Patience {
    /// Monotonic ns; nil = for ever.
    var deadline: Int64?
}

/// Called by SQLite every so many steps of a statement, on the connection's thread. Anything but 0 interrupts it.
private func isOverdue(_ patience: UnsafeMutableRawPointer?) -> Int32 {
    guard let patience = unsafe patience else { return 0 }
    let deadline = unsafe Unmanaged<Patience>.fromOpaque(patience).takeUnretainedValue().deadline
    guard let deadline else { return 0 }
    return Clock.monotonic() > deadline ? 1 : 0
}

/// A prepared statement: bind, step through its rows, reset.
@safe final class Statement {
    // Prepared in init and finalised in deinit, before the connection that keeps it closes.
    private let handle: OpaquePointer
    private let sql: String
    private unowned let database: Database

    fileprivate init(_ sql: String, on database: Database) throws(StorageError) {
        self.sql = sql
        self.database = database
        var handle: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(
            database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle = unsafe handle else { throw database.error(code, sql) }
        unsafe self.handle = handle
    }

    deinit {
        unsafe sqlite3_finalize(handle)
    }

    // Binds are 1-based, as in SQL. They fail only for a wrong index, which the tests would show.

    func bind(_ index: Int32, _ value: Int64?) {
        if let value {
            unsafe sqlite3_bind_int64(handle, index, value)
        } else {
            unsafe sqlite3_bind_null(handle, index)
        }
    }

    func bind(_ index: Int32, _ value: Double?) {
        if let value {
            unsafe sqlite3_bind_double(handle, index, value)
        } else {
            unsafe sqlite3_bind_null(handle, index)
        }
    }

    func bind(_ index: Int32, _ value: String?) {
        guard let value else {
            unsafe sqlite3_bind_null(handle, index)
            return
        }
        unsafe sqlite3_bind_text(handle, index, value, -1, copied)
    }

    func bind(_ index: Int32, _ value: [UInt8]?) {
        guard let value else {
            unsafe sqlite3_bind_null(handle, index)
            return
        }
        unsafe sqlite3_bind_blob64(handle, index, value, UInt64(value.count), copied)
    }

    /// The next row; false at the end, where the statement is ready for the next use.
    func step() throws(StorageError) -> Bool {
        let code = unsafe sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        let failure = code == SQLITE_DONE ? nil : database.error(code, sql)
        reset()
        if let failure { throw failure }
        return false
    }

    /// Runs a statement that gives no rows.
    func run() throws(StorageError) {
        while try step() {}
    }

    func reset() {
        unsafe sqlite3_reset(handle)
    }

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }
    func real(_ column: Int32) -> Double { unsafe sqlite3_column_double(handle, column) }

    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    func optionalReal(_ column: Int32) -> Double? { isNull(column) ? nil : real(column) }

    func text(_ column: Int32) -> String {
        guard let bytes = unsafe sqlite3_column_text(handle, column) else { return "" }
        return unsafe String(cString: bytes)
    }

    func blob(_ column: Int32) -> [UInt8] {
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        guard count > 0, let bytes = unsafe sqlite3_column_blob(handle, column) else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    private func isNull(_ column: Int32) -> Bool {
        unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    /// SQLITE_TRANSIENT: SQLite copies what is bound.
    private var copied: sqlite3_destructor_type { unsafe sm_sqlite_transient() }
}
