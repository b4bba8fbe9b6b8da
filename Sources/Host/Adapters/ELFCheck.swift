import Glibc
import Platform

/// Looks at a shared library before the dynamic loader does: a file that was only half copied, or that is for another
/// machine, must be refused by us; mapping it could kill the process.
enum ELFCheck {
    private static let headerSize = 64
    private static let programHeaderSize = 56
    private static let loadable: UInt64 = 1
    private static let largestFile: Int64 = 256 << 20
    #if arch(x86_64)
        private static let machine: UInt64 = 62
    #elseif arch(arm64)
        private static let machine: UInt64 = 183
    #endif

    /// Nil where the file may be given to the loader; else why not.
    static func objection(to path: String) -> String? {
        let descriptor = FileDescriptor(owning: unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC))
        guard descriptor.number >= 0 else { return "it cannot be read: \(SystemError.text(errno))" }
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return "it is not a regular file"
        }
        let size = Int64(status.st_size)
        guard size <= largestFile else { return "it is larger than 256 MB" }
        guard let header = read(headerSize, at: 0, descriptor.number), header.prefix(4) == [0x7F, 0x45, 0x4C, 0x46]
        else {
            return "it is not a shared library (no ELF header)"
        }
        guard header[4] == 2, header[5] == 1 else { return "it is not for a 64-bit little-endian machine" }
        guard number(header, 18, 2) == machine else { return "it is for another kind of machine" }
        guard number(header, 16, 2) == 3 else { return "it is not a shared library (but another kind of ELF file)" }
        return extents(header, size, descriptor.number)
    }

    /// Every part that the loader maps has to lie within the file.
    private static func extents(_ header: [UInt8], _ size: Int64, _ descriptor: Int32) -> String? {
        let cut = "it is cut off: a copy that was not finished?"
        let table = Int64(clamping: number(header, 32, 8))
        let count = Int(number(header, 56, 2))
        guard number(header, 54, 2) == programHeaderSize, count > 0 else { return "its ELF header makes no sense" }
        let tableSize = count * programHeaderSize
        guard table >= 0, table <= size, Int64(tableSize) <= size - table,
            let programs = read(tableSize, at: table, descriptor)
        else { return cut }
        for index in 0..<count {
            let place = index * programHeaderSize
            guard number(programs, place, 4) == loadable else { continue }
            let offset = number(programs, place + 8, 8)
            let length = number(programs, place + 32, 8)
            let (end, overflow) = offset.addingReportingOverflow(length)
            guard !overflow, end <= UInt64(size) else { return cut }
        }
        // The section headers stand at the end of what a linker writes: where they are cut off, so is the rest.
        let sections = number(header, 40, 8)
        let sectionBytes = number(header, 58, 2) * number(header, 60, 2)
        let (end, overflow) = sections.addingReportingOverflow(sectionBytes)
        return overflow || end > UInt64(size) ? cut : nil
    }

    private static func read(_ count: Int, at offset: Int64, _ descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = unsafe pread(descriptor, &bytes, count, off_t(offset))
        return received == count ? bytes : nil
    }

    private static func number(_ bytes: [UInt8], _ place: Int, _ size: Int) -> UInt64 {
        (0..<size).reduce(0) { $0 | UInt64(bytes[place + $1]) << ($1 * 8) }
    }
}
