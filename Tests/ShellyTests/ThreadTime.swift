import Foundation
import TestSupport

/// The time that a thread of this process has used.
struct ThreadTime {
    private let folder: String
    private let begin = ContinuousClock.now

    /// The newest of that name.
    static func named(_ name: String) throws -> ThreadTime? {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").compactMap { Int($0) }
        return tasks.sorted().last { task in
            (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == "\(name)\n"
        }.map { ThreadTime(folder: "/proc/self/task/\($0)") }
    }

    private init(folder: String) { self.folder = folder }

    func seconds() throws -> Double {
        let words = try String(contentsOfFile: "\(folder)/schedstat", encoding: .utf8).split(separator: " ")
        return (Double(words.first ?? "") ?? 0) / 1e9
    }

    func age() throws -> Double { (ContinuousClock.now - begin) / .seconds(1) }
}
