import Glibc

/// Why there is no such zone: one line for a person.
public struct ZoneError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// The zone of the house, and whether anybody said so.
public struct SystemZone: Sendable {
    public let zone: Zone
    /// Neither TZ nor /etc/localtime said anything: UTC is a guess.
    public let isGuess: Bool
}

extension Zone {
    private static let usualDirectory = "/usr/share/zoneinfo"

    /// A zone of the system's files; `directory` is `TZDIR`.
    public init(named name: String, directory: String? = nil) throws(ZoneError) {
        // A leading colon is POSIX's way to say that a file is meant.
        let name = name.first == ":" ? String(name.dropFirst()) : name
        let directory = directory.flatMap { $0.isEmpty ? nil : $0 } ?? Self.usualDirectory
        var relative = name
        if name.hasPrefix("\(directory)/") { relative = String(name.dropFirst(directory.count + 1)) }
        let parts = relative.split(separator: "/", omittingEmptySubsequences: false)
        let isSafe =
            relative.utf8.count <= 255 && !relative.utf8.contains(0)
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard isSafe else {
            throw ZoneError(description: "\(name) is not the name of a time zone, such as Europe/Berlin")
        }
        let path = "\(directory)/\(relative)"
        guard let bytes = Self.read(path) else {
            throw ZoneError(description: "there is no time zone \(relative): \(path) cannot be read")
        }
        guard let table = ZoneTable(bytes) else { throw ZoneError(description: "\(path) is not a time zone file") }
        self.init(name: relative, table: table)
    }

    /// The zone that `TZ` (as the environment or `.env` has it; nil or empty = unset) or /etc/localtime names.
    public static func system(
        tz: String?, directory: String? = nil, localtime: String = "/etc/localtime"
    ) throws(ZoneError) -> SystemZone {
        if let tz, !tz.isEmpty {
            return SystemZone(zone: try Zone(named: tz, directory: directory), isGuess: false)
        }
        guard let bytes = read(localtime) else { return SystemZone(zone: .utc, isGuess: true) }
        guard let table = ZoneTable(bytes) else {
            throw ZoneError(description: "\(localtime) is not a time zone file")
        }
        return SystemZone(zone: Zone(name: linkedName(localtime) ?? "localtime", table: table), isGuess: false)
    }

    /// What comes after "zoneinfo/" in the link's target.
    private static func linkedName(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 1024)
        let count = unsafe readlink(path, &target, target.count)
        guard count > 0 else { return nil }
        let parts = String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: "/")
        guard let index = parts.lastIndex(of: "zoneinfo") else { return nil }
        let name = parts[(index + 1)...].joined(separator: "/")
        return name.isEmpty ? nil : name
    }

    /// Nil where it cannot be read or is far larger than any zone file.
    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while bytes.count <= 1 << 20 {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        return nil
    }
}
