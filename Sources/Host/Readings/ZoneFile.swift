/// What a TZif file (RFC 8536) says: the 64-bit block and the footer.
struct ZoneFile {
    var transitions: [Zone.Transition] = []
    var first = 0
    var rule: ZoneRule?

    private static let headerSize = 44

    /// Nil where the bytes are no TZif file of version 2 or later, or end too early.
    init?(_ bytes: [UInt8]) {
        guard let old = Counts(bytes, at: 0), old.version >= UInt8(ascii: "2") else { return nil }
        let second = Self.headerSize + old.size(timeSize: 4)
        guard let counts = Counts(bytes, at: second) else { return nil }
        var place = second + Self.headerSize
        guard bytes.count >= place + counts.size(timeSize: 8) else { return nil }

        let times = (0..<counts.times).map { Self.integer(bytes, place + $0 * 8, 8) }
        place += counts.times * 8
        let kinds = bytes[place..<(place + counts.times)].map(Int.init)
        place += counts.times
        let offsets = (0..<counts.types).map { Int(Int32(truncatingIfNeeded: Self.integer(bytes, place + $0 * 6, 4))) }
        let isSummer = (0..<counts.types).map { bytes[place + $0 * 6 + 4] != 0 }
        guard kinds.allSatisfy({ $0 < offsets.count }), !offsets.isEmpty else { return nil }

        transitions = zip(times, kinds).map { Zone.Transition(at: $0, offset: offsets[$1]) }
        first = zip(offsets, isSummer).first { !$1 }?.0 ?? offsets[0]
        let footer = bytes[(second + Self.headerSize + counts.size(timeSize: 8))...]
        // A rule stands between two line ends, or the file was cut off.
        guard footer.count >= 2, footer.first == UInt8(ascii: "\n"), footer.last == UInt8(ascii: "\n") else {
            return nil
        }
        rule = ZoneRule(String(decoding: footer.dropFirst().dropLast(), as: UTF8.self))
    }

    private struct Counts {
        let version: UInt8
        let isUT: Int
        let isStandard: Int
        let leaps: Int
        let times: Int
        let types: Int
        let characters: Int

        init?(_ bytes: [UInt8], at place: Int) {
            guard bytes.count >= place + ZoneFile.headerSize, bytes[place..<(place + 4)].elementsEqual("TZif".utf8)
            else {
                return nil
            }
            version = bytes[place + 4]
            let counts = (0..<6).map { Int(ZoneFile.integer(bytes, place + 20 + $0 * 4, 4)) }
            // A zone has a few hundred transitions; anything else is not a zone file.
            guard counts.allSatisfy({ (0..<100_000).contains($0) }) else { return nil }
            isUT = counts[0]
            isStandard = counts[1]
            leaps = counts[2]
            times = counts[3]
            types = counts[4]
            characters = counts[5]
        }

        func size(timeSize: Int) -> Int {
            times * timeSize + times + types * 6 + characters + leaps * (timeSize + 4) + isStandard + isUT
        }
    }

    /// Big-endian, sign-extended from `size` bytes.
    private static func integer(_ bytes: [UInt8], _ place: Int, _ size: Int) -> Int64 {
        let value = bytes[place..<(place + size)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }
}
