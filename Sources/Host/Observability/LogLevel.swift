/// How much an event matters.
package enum LogLevel: UInt8, Comparable, Sendable, CaseIterable {
    case error = 1
    case warning = 2
    case info = 3
    case debug = 4

    package var word: String {
        switch self {
        case .error: "error"
        case .warning: "warning"
        case .info: "info"
        case .debug: "debug"
        }
    }

    /// From the most to the least important.
    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

package enum LogFormat: Sendable {
    case text, json
}
