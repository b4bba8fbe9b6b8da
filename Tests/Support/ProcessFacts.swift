import Foundation

/// What the kernel says of a process.
public struct ProcessFacts {
    public let processID: Int32

    public init(_ processID: Int32) {
        self.processID = processID
    }

    public var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count) ?? 0
    }

    public var threads: Int { number("Threads") }

    /// Resident memory that no file backs.
    public var anonymousKB: Int { number("RssAnon") }

    /// Its share of all memory that it has mapped, in kB. For the process's user, or root.
    public var proportionalKB: Int { number("Pss", in: "smaps_rollup") }

    /// The processes that run adapters for it, and whatever those have left behind.
    public var runners: [Int32] {
        Self.all.filter { arguments(of: $0).dropFirst().prefix(2) == ["adapter-runner", "\(processID)"] }
    }

    /// That of one instance.
    public func runner(of instance: String) -> Int32? {
        runners.first { arguments(of: $0).last == instance && Self.parent(of: $0) == processID }
    }

    private static var all: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    private func arguments(of process: Int32) -> [String] {
        let bytes = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/cmdline"))) ?? Data()
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func parent(of process: Int32) -> Int32? {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    /// A row of /proc/PID/status or another file; 0 where there is none.
    private func number(_ row: String, in file: String = "status") -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(processID)/\(file)", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(row):") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
