import CLinux
import Glibc
import Platform
import Readings
import Storage

/// Remembers runs that did not end in order. In the host's process a fault of one adapter ends all: after some of them
/// in a short time every adapter gets a process of its own.
struct UncleanExits {
    /// Whether the run before this one did not end in order.
    let wasUnclean: Bool
    /// The process of that run.
    let before: Int32?
    /// Of the last ten minutes, wall time.
    let recent: [Instant]

    /// There while a host runs.
    private let marker: String

    private static let window = 10 * Duration.minute
    private static let most = 3

    /// A run begins.
    init(_ directory: DataDirectory, now: Instant) {
        marker = directory.path(of: "running")
        let file = directory.path(of: "unclean-exits")
        wasUnclean = unsafe access(marker, F_OK) == 0
        before = Self.numbers(in: marker).first.flatMap(Int32.init(exactly:))
        Self.write(numbers: [Int64(getpid())], to: marker)
        // A clock that was wrong may have written a time of the future.
        let known = Self.numbers(in: file).filter { (0...1 << 33).contains($0) }.map(Instant.init(seconds:))
        let valid = known.filter { now - $0 < Self.window && $0 - now < Self.window }
        recent = wasUnclean ? Array((valid + [now]).suffix(Self.most)) : valid
        if wasUnclean { Self.write(numbers: recent.map { $0.nanoseconds / Duration.second }, to: file) }
    }

    /// Whether every adapter is to have a process of its own.
    var areTooMany: Bool { recent.count >= Self.most }

    /// In order.
    func end() { _ = unsafe unlink(marker) }

    /// One a line.
    private static func numbers(in file: String) -> [Int64] {
        let descriptor = FileDescriptor(owning: unsafe sm_open(file, O_RDONLY, 0))
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe Glibc.read(descriptor.number, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").compactMap {
            Int64($0)
        }
    }

    private static func write(numbers: [Int64], to file: String) {
        let bytes = numbers.flatMap { Array("\($0)\n".utf8) }
        let descriptor = FileDescriptor(owning: unsafe sm_open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600))
        _ = unsafe Glibc.write(descriptor.number, bytes, bytes.count)
    }
}
