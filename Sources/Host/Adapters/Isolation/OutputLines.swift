import CLinux
import Glibc

/// What a runner writes to its standard output and error, cut into lines.
struct OutputLines {
    private var rest: [UInt8] = []
    /// What the runner itself said about a crash.
    private(set) var crash: String?
    private static let longestLine = 1000

    /// The lines that are complete now; longer ones are cut.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        var start = 0
        while let base = bytes.baseAddress, start < bytes.count,
            let end = unsafe memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
        {
            let count = unsafe (base + start).distance(to: UnsafeRawPointer(end))
            unsafe keep(bytes[start..<(start + count)])
            append(to: &lines)
            start += count + 1
        }
        unsafe keep(bytes[start...])
        return lines
    }

    /// A last line without an end.
    mutating func finish() -> [String] {
        var lines: [String] = []
        append(to: &lines)
        return lines
    }

    private mutating func keep(_ bytes: Slice<UnsafeRawBufferPointer>) {
        unsafe rest.append(contentsOf: bytes.prefix(Self.longestLine - rest.count))
    }

    private mutating func append(to lines: inout [String]) {
        defer { rest.removeAll(keepingCapacity: true) }
        let line = String(decoding: rest, as: UTF8.self)
        if line.hasPrefix(SM_CRASH_PREFIX) {
            crash = String(line.dropFirst(SM_CRASH_PREFIX.utf8.count))
        } else if !line.isEmpty {
            lines.append(line)
        }
    }
}
