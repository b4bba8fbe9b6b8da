import Glibc
import Platform

/// The names that a shared library lends to whoever loads it.
enum ELFExports {
    private static let dynamicSymbols: UInt64 = 11
    private static let mostSections = 4096
    private static let mostSymbols = 1 << 20

    /// Nil where the file has no table of sections to find them by.
    static func names(of descriptor: borrowing FileDescriptor) -> [String]? {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0, status.st_size > 0 else { return nil }
        let file = ELFBytes(descriptor: descriptor.number, size: UInt64(status.st_size))
        guard let header = file.read(64, at: 0), header.number(58, 2) == 64 else { return nil }
        let count = Int(header.number(60, 2))
        guard (1...mostSections).contains(count), let table = file.read(count * 64, at: header.number(40, 8)) else {
            return nil
        }
        for section in 0..<count where table.number(section * 64 + 4, 4) == dynamicSymbols {
            let texts = Int(table.number(section * 64 + 40, 4))
            guard texts < count else { return nil }
            return names(file, table, symbolsAt: section * 64, textsAt: texts * 64)
        }
        return nil
    }

    private static func names(
        _ file: ELFBytes, _ table: ELFBytes.Piece, symbolsAt: Int, textsAt: Int
    ) -> [String]? {
        let size = table.number(symbolsAt + 32, 8)
        let textsSize = table.number(textsAt + 32, 8)
        guard size <= mostSymbols * 24, textsSize <= 1 << 26,
            let symbols = file.read(Int(size), at: table.number(symbolsAt + 24, 8)),
            let texts = file.read(Int(textsSize), at: table.number(textsAt + 24, 8))
        else { return nil }
        var names: [String] = []
        for place in stride(from: 0, to: symbols.bytes.count - 23, by: 24) {
            let binding = symbols.bytes[place + 4] >> 4
            let visibility = symbols.bytes[place + 5] & 3
            // Local ones, hidden ones, and those that it wants from others are no exports.
            guard symbols.number(place + 6, 2) != 0, binding != 0, visibility == 0 || visibility == 3 else { continue }
            if let name = texts.text(at: symbols.number(place, 4)), !name.isEmpty { names.append(name) }
        }
        return names
    }
}
