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
        _ = FileDescriptor(owning: unsafe sm_open(marker, O_WRONLY | O_CREAT, 0o600))
        // A clock that was wrong may have written a time of the future.
        let before = Self.read(file).filter { now - $0 < Self.window && $0 - now < Self.window }
        recent = wasUnclean ? Array((before + [now]).suffix(Self.most)) : before
        if wasUnclean { Self.write(recent, to: file) }
    }

    /// Whether every adapter is to have a process of its own.
    var areTooMany: Bool { recent.count >= Self.most }

    /// In order.
    func end() { _ = unsafe unlink(marker) }

    /// Seconds since 1970, one a line.
    private static func read(_ file: String) -> [Instant] {
        let descriptor = FileDescriptor(owning: unsafe sm_open(file, O_RDONLY, 0))
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe Glibc.read(descriptor.number, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").compactMap { line in
            Int64(line).flatMap { (0...1 << 33).contains($0) ? Instant(seconds: $0) : nil }
        }
    }

    private static func write(_ exits: [Instant], to file: String) {
        let text = exits.map { "\($0.nanoseconds / Duration.second)\n" }.joined()
        let descriptor = FileDescriptor(owning: unsafe sm_open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600))
        let bytes = Array(text.utf8)
        _ = unsafe Glibc.write(descriptor.number, bytes, bytes.count)
    }
}
