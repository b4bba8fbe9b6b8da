import Foundation
import TestSupport

/// The time that a thread of this process has used.
struct ThreadTime {
    private let folder: String
    private let begin = ContinuousClock.now

    /// The thread of that name which `body` makes.
    static func ofThread(named name: String, madeBy body: () throws -> Void) throws -> ThreadTime {
        let before = try tasks()
        try body()
        let task = try waitFor("a thread called \(name)") {
            try tasks().subtracting(before).first { task in
                (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == "\(name)\n"
            }
        }
        return ThreadTime(folder: "/proc/self/task/\(task)")
    }

    private static func tasks() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task"))
    }

    private init(folder: String) { self.folder = folder }

    func seconds() throws -> Double {
        let words = try String(contentsOfFile: "\(folder)/schedstat", encoding: .utf8).split(separator: " ")
        return (Double(words.first ?? "") ?? 0) / 1e9
    }

    func age() -> Double { (ContinuousClock.now - begin) / .seconds(1) }
}
