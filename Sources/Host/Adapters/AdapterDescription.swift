package import Configuration
import Platform
package import Readings

/// What an adapter says of itself, copied out of its library. `objection` says whether it makes sense.
package struct AdapterDescription: Hashable, Sendable {
    package enum Delivery: Sendable {
        case pull
        case push
    }

    package let meterType: String
    package let name: String
    package let vendor: String
    package let version: String
    package let url: String
    package let summary: String
    package let delivery: Delivery
    /// What the device or cloud allows a day; 0 = no limit.
    package let requestsPerDay: Int
    /// Nanoseconds; 0 = once an interval.
    package let defaultSampling: Int64
    package let minimumSampling: Int64
    /// Nanoseconds that a reading may be late.
    package let late: Int64
    /// Finest step of its history, and how far back it reaches: nanoseconds; 0 = none, and unknown.
    package let historyStep: Int64
    package let historyReach: Int64
    /// Whether a person can log in: `meter.login/1`.
    package let canLogIn: Bool
    package let settings: [SettingDeclaration]
}

extension AdapterDescription {
    static let mostSettings = 256
    static let longestLine = 1024
    static let longestValue = 4096
    private static let longestType = 32
    private static let longestSettingName = 64
    private static let longestDuration = 100 * 366 * Duration.day

    /// The rule of `meter_adapter.h` that it breaks, in one line; nil = none. What comes from a child is checked by this
    /// as much as what was read from memory.
    var objection: LibraryObjection? {
        if let reason = MeterTypeRule.objection(to: meterType, known: []) {
            return LibraryObjection(reason: reason, rule: .mandatory)
        }
        if meterType.utf8.count > Self.longestType {
            return LibraryObjection(
                reason: "its meter_type is longer than \(Self.longestType) bytes", rule: .mandatory)
        }
        for (text, what) in [
            (name, "name"), (vendor, "vendor"), (version, "version"), (url, "url"), (summary, "description"),
        ] where !Self.isLine(text) {
            return LibraryObjection(
                reason: "the \(what) of its descriptor is not a line of at most 1 KB", rule: .texts)
        }
        if name.isEmpty || version.isEmpty {
            return LibraryObjection(reason: "its descriptor lacks a name or a version", rule: .mandatory)
        }
        let times = [defaultSampling, minimumSampling, late, historyStep, historyReach]
        guard times.allSatisfy({ (0...Self.longestDuration).contains($0) }), minimumSampling > 0 || delivery == .push,
            requestsPerDay >= 0
        else { return LibraryObjection(reason: "a duration of its descriptor makes no sense", rule: .durations) }
        return settingsObjection.map { LibraryObjection(reason: $0, rule: .settings) }
    }

    private var settingsObjection: String? {
        guard settings.count <= Self.mostSettings else { return "its table of settings makes no sense" }
        var names: Set<String> = []
        for (index, setting) in settings.enumerated() {
            guard Self.isBare(setting.name), setting.name.utf8.count <= Self.longestSettingName,
                names.insert(setting.name).inserted, !setting.help.isEmpty, Self.isLine(setting.help),
                setting.defaultValue.map({ $0.utf8.count <= Self.longestValue }) ?? true
            else { return "setting \(index + 1) of its descriptor makes no sense" }
            if let value = setting.defaultValue, setting.kind.accepted(value) == nil {
                return "the default of its setting \(setting.name) is not \(setting.kind.allowed)"
            }
        }
        return nil
    }

    private static func isLine(_ text: String) -> Bool {
        text.utf8.count <= longestLine && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private static func isBare(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}

/// Why a library is not used, in one line.
struct LibraryObjection: Error, Hashable {
    let reason: String
    /// What it is about.
    var rule = Rule.file
    /// What the host had too little of: then it is no fault of the library.
    var shortage: HostShortage?

    /// The parts of the interface that a library is held to, in the order in which the host looks at them.
    enum Rule: Hashable, Sendable {
        /// Everything before its entry point.
        case file
        /// What it needs of other files.
        case needs
        case version
        case library
        case functions
        case texts
        case mandatory
        case durations
        case settings
    }

    init(reason: String, rule: Rule = .file, shortage: HostShortage? = nil) {
        self.reason = reason
        self.rule = rule
        self.shortage = shortage
    }

    /// What the system answered.
    init(_ what: String, _ code: Int32) {
        self.init(reason: "\(what): \(SystemError.text(code))", shortage: HostShortage(code: code))
    }

    /// Something of the host's own failed, whatever it was.
    static func ofHost(_ what: String, _ code: Int32) -> LibraryObjection {
        var objection = LibraryObjection(what, code)
        objection.shortage = objection.shortage ?? .other
        return objection
    }
}

/// A file that is not used, and why.
package struct AdapterRefusal: Error, Hashable, Sendable {
    package let path: String
    package let reason: String
}

/// A file, or a directory of them, that the host could not look at for want of something. It is tried again by itself.
package struct AdapterWait: Hashable, Sendable {
    package let path: String
    package let reason: String
    /// What a person can do about it.
    package let advice: String
    package let since: Instant

    init(path: String, _ wait: HostWait) {
        self.path = path
        reason = wait.reason
        advice = wait.shortage.advice
        since = wait.since
    }
}
