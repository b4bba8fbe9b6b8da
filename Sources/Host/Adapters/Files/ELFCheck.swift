import Glibc
import Platform

/// Looks at a shared library before the dynamic loader does: a file that was only half copied, or that is for another
/// machine, must be refused by us; mapping it could kill the process.
enum ELFCheck {
    /// What a library asks the loader for.
    struct Needs: Hashable, Sendable {
        /// File names of other libraries.
        var libraries: [String] = []
        /// Where it wants them to be looked for, as written; `$ORIGIN` is the directory of the library itself.
        var searchPaths: [String] = []
        /// Bytes of memory of its own that it has from the first moment on.
        var memory: UInt64 = 0
    }

    static let largestFile: Int64 = 256 << 20
    private static let cutOff = LibraryObjection(reason: "it is cut off: a copy that was not finished?")
    #if arch(x86_64)
        private static let machine: UInt64 = 62
    #elseif arch(arm64)
        private static let machine: UInt64 = 183
    #endif

    /// What the file needs, where it may be given to the loader.
    static func needs(of descriptor: borrowing FileDescriptor) throws(LibraryObjection) -> Needs {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw LibraryObjection(reason: "it is not a regular file")
        }
        let size = Int64(status.st_size)
        guard size <= largestFile else { throw LibraryObjection(reason: "it is larger than 256 MB") }
        let file = ELFBytes(descriptor: descriptor.number, size: UInt64(size))
        guard let header = file.read(64, at: 0), header.bytes.prefix(4) == [0x7F, 0x45, 0x4C, 0x46] else {
            throw LibraryObjection(reason: "it is not a shared library (no ELF header)")
        }
        guard header.bytes[4] == 2, header.bytes[5] == 1 else {
            throw LibraryObjection(reason: "it is not for a 64-bit little-endian machine")
        }
        guard header.number(18, 2) == machine else {
            throw LibraryObjection(reason: "it is for another kind of machine")
        }
        guard header.number(16, 2) == 3 else {
            throw LibraryObjection(reason: "it is not a shared library (but another kind of ELF file)")
        }
        let segments = try segments(header, file)
        // The section headers stand at the end of what a linker writes: where they are cut off, so is the rest.
        guard file.holds(header.number(40, 8), header.number(58, 2) * header.number(60, 2)) else { throw cutOff }
        return try needs(segments, file)
    }

    /// A part of the file that the loader looks at.
    private struct Segment {
        static let loadable: UInt64 = 1
        static let dynamic: UInt64 = 2

        let kind: UInt64
        let offset: UInt64
        let address: UInt64
        let size: UInt64
        /// What it takes where it is loaded and nobody else's: 0 where it is only read.
        let memory: UInt64
    }

    /// Every part that the loader maps has to lie within the file.
    private static func segments(_ header: ELFBytes.Piece, _ file: ELFBytes) throws(LibraryObjection) -> [Segment] {
        let entrySize = 56
        let count = Int(header.number(56, 2))
        guard header.number(54, 2) == entrySize, count > 0 else {
            throw LibraryObjection(reason: "its ELF header makes no sense")
        }
        guard let table = file.read(count * entrySize, at: header.number(32, 8)) else { throw cutOff }
        var segments: [Segment] = []
        for place in stride(from: 0, to: count * entrySize, by: entrySize) {
            let segment = Segment(
                kind: table.number(place, 4), offset: table.number(place + 8, 8),
                address: table.number(place + 16, 8), size: table.number(place + 32, 8),
                memory: table.number(place + 4, 4) & 2 == 0 ? 0 : table.number(place + 40, 8))
            guard segment.kind == Segment.loadable || segment.kind == Segment.dynamic else { continue }
            guard file.holds(segment.offset, segment.size) else { throw cutOff }
            segments.append(segment)
        }
        return segments
    }

    // MARK: The dynamic section

    private static func needs(_ segments: [Segment], _ file: ELFBytes) throws(LibraryObjection) -> Needs {
        let nonsense = LibraryObjection(reason: "its dynamic section makes no sense")
        guard let dynamic = segments.first(where: { $0.kind == Segment.dynamic }) else {
            throw LibraryObjection(reason: "it is not a shared library (no dynamic section)")
        }
        guard dynamic.size <= 1 << 16, let table = file.read(Int(dynamic.size), at: dynamic.offset) else {
            throw nonsense
        }
        var names: [UInt64] = []
        var paths: [UInt64] = []
        var textsAt: UInt64?
        var textsSize: UInt64 = 0
        for place in stride(from: 0, to: table.bytes.count - 15, by: 16) {
            let value = table.number(place + 8, 8)
            switch table.number(place, 8) {
            case 1: names.append(value)
            case 5: textsAt = offset(of: value, segments)
            case 10: textsSize = value
            case 15, 29: paths.append(value)
            default: break
            }
        }
        guard let textsAt, textsSize <= 1 << 24, let texts = file.read(Int(textsSize), at: textsAt) else {
            throw nonsense
        }
        var needs = Needs()
        for segment in segments where segment.kind == Segment.loadable {
            needs.memory += min(segment.memory, 1 << 40)
        }
        for name in names {
            guard let text = texts.text(at: name) else { throw nonsense }
            needs.libraries.append(text)
        }
        for path in paths {
            guard let text = texts.text(at: path) else { throw nonsense }
            needs.searchPaths += text.split(separator: ":").map(String.init)
        }
        return needs
    }

    /// Where an address of the loaded library lies in the file.
    private static func offset(of address: UInt64, _ segments: [Segment]) -> UInt64? {
        let segment = segments.first {
            $0.kind == Segment.loadable && address >= $0.address && address - $0.address < $0.size
        }
        return segment.map { $0.offset + (address - $0.address) }
    }
}

/// Bounded reads of a file.
struct ELFBytes {
    let descriptor: Int32
    let size: UInt64

    struct Piece {
        let bytes: [UInt8]

        /// Little-endian; the place must lie within the piece.
        func number(_ place: Int, _ size: Int) -> UInt64 {
            (0..<size).reduce(0) { $0 | UInt64(bytes[place + $1]) << ($1 * 8) }
        }

        /// Up to the next NUL; nil where there is none.
        func text(at place: UInt64) -> String? {
            guard place < bytes.count, let end = bytes[Int(place)...].firstIndex(of: 0) else { return nil }
            return String(decoding: bytes[Int(place)..<end], as: UTF8.self)
        }
    }

    /// Whether so many bytes lie there.
    func holds(_ offset: UInt64, _ count: UInt64) -> Bool {
        let (end, overflow) = offset.addingReportingOverflow(count)
        return !overflow && end <= size
    }

    func read(_ count: Int, at offset: UInt64) -> Piece? {
        guard holds(offset, UInt64(count)) else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        let received = unsafe pread(descriptor, &bytes, count, off_t(offset))
        return received == count ? Piece(bytes: bytes) : nil
    }
}
