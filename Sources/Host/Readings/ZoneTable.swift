/// The content of a zone file (TZif, RFC 9636): when the offset from UTC changed, and the rule for afterwards.
struct ZoneTable: Sendable {
    /// UTC seconds, ascending, and the offset from each on.
    let transitions: [Int64]
    let offsets: [Int]
    /// Before the first transition.
    let firstOffset: Int
    /// After the last.
    let rule: ZoneRule?

    static let utc = ZoneTable(transitions: [], offsets: [], firstOffset: 0, rule: nil)

    private init(transitions: [Int64], offsets: [Int], firstOffset: Int, rule: ZoneRule?) {
        self.transitions = transitions
        self.offsets = offsets
        self.firstOffset = firstOffset
        self.rule = rule
    }

    /// Nil where the bytes are not a zone file, or a cut one.
    init?(_ bytes: [UInt8]) {
        guard let first = Header(bytes, at: 0) else { return nil }
        guard first.version >= 2 else {
            self.init(bytes, first, at: Header.size, timeSize: 4)
            return
        }
        // The second block repeats the first with 64 bits; only that one is read.
        let start = Header.size + first.blockSize(timeSize: 4)
        guard let second = Header(bytes, at: start) else { return nil }
        self.init(bytes, second, at: start + Header.size, timeSize: 8)
    }

    private init?(_ bytes: [UInt8], _ header: Header, at start: Int, timeSize: Int) {
        let end = start + header.blockSize(timeSize: timeSize)
        guard header.types > 0, end <= bytes.count else { return nil }
        let times = start
        let indices = times + header.times * timeSize
        let types = indices + header.times
        var typeOffsets: [Int] = []
        for type in 0..<header.types {
            let offset = Int(Int32(truncatingIfNeeded: Self.integer(bytes, types + type * 6, 4)))
            guard abs(offset) <= 26 * 3600 else { return nil }
            typeOffsets.append(offset)
        }
        var transitions: [Int64] = []
        var offsets: [Int] = []
        for index in 0..<header.times {
            let raw = Self.integer(bytes, times + index * timeSize, timeSize)
            let time = timeSize == 4 ? Int64(Int32(truncatingIfNeeded: raw)) : raw
            let type = Int(bytes[indices + index])
            guard type < typeOffsets.count, time > transitions.last ?? .min else { return nil }
            transitions.append(time)
            offsets.append(typeOffsets[type])
        }
        var rule: ZoneRule?
        if timeSize == 8 {
            guard end < bytes.count, bytes[end] == 0x0A, let newline = bytes[(end + 1)...].firstIndex(of: 0x0A)
            else { return nil }
            let footer = bytes[(end + 1)..<newline]
            rule = ZoneRule(footer)
            guard footer.isEmpty || rule != nil else { return nil }
        }
        self.init(transitions: transitions, offsets: offsets, firstOffset: typeOffsets[0], rule: rule)
    }

    /// Big-endian, signed where it has 8 bytes.
    private static func integer(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64 {
        bytes[start..<start + count].reduce(0) { $0 << 8 | Int64($1) }
    }

    private struct Header {
        static let size = 44
        let version: Int
        let times: Int
        let types: Int
        private let utcFlags: Int
        private let standardFlags: Int
        private let leaps: Int
        private let characters: Int

        init?(_ bytes: [UInt8], at start: Int) {
            guard start >= 0, start + Self.size <= bytes.count, bytes[start...].starts(with: "TZif".utf8)
            else { return nil }
            version = bytes[start + 4] == 0 ? 1 : Int(bytes[start + 4]) - 0x30
            let counts = (0..<6).map { Int(ZoneTable.integer(bytes, start + 20 + 4 * $0, 4)) }
            // Counts beyond the file are caught by its size; these bounds keep the sums far from overflow.
            guard counts.allSatisfy({ $0 <= 1 << 20 }) else { return nil }
            (utcFlags, standardFlags, leaps) = (counts[0], counts[1], counts[2])
            (times, types, characters) = (counts[3], counts[4], counts[5])
        }

        func blockSize(timeSize: Int) -> Int {
            times * (timeSize + 1) + types * 6 + characters + leaps * (timeSize + 4) + standardFlags + utcFlags
        }
    }
}
