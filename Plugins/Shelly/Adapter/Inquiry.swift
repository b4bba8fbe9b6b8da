import AdapterKit

/// What a Gen2 device is being asked, one question after another.
struct Inquiry: Hashable, Sendable {
    enum Question: String, Sendable {
        case info = "Shelly.GetDeviceInfo"
        case configuration = "Shelly.GetConfig"
        case status = "Shelly.GetStatus"
    }

    /// What is still to be asked; the first may be under way.
    private(set) var questions: [Question] = []
    /// Of the question under way.
    private(set) var request: Int?
    private var askedAt: Int64 = 0
    private var tries = 0
    /// Whether it has said who it is.
    private var isIdentified = false
    private var hasGivenUp = false

    /// Whether it has said who it is, or does not answer.
    var isSettled: Bool { isIdentified || hasGivenUp }

    /// Nanoseconds.
    private static let patience: Int64 = 5_000_000_000
    private static let mostTries = 2

    /// Who it is, unless that is known, and how things are with it.
    mutating func begin() {
        questions = isIdentified ? [.status] : [.info, .configuration, .status]
        request = nil
        tries = 0
    }

    /// The question to ask now; nil = none, or one is under way.
    mutating func next(at monotonic: Int64) -> Question? {
        if request != nil {
            guard monotonic - askedAt >= Self.patience else { return nil }
            request = nil
            if tries >= Self.mostTries { giveUp() }
        }
        return questions.first
    }

    mutating func ask(as number: Int, at monotonic: Int64) {
        request = number
        askedAt = monotonic
        tries += 1
    }

    /// The question under way has an answer, be it an error.
    mutating func proceed() {
        guard !questions.isEmpty else { return }
        questions.removeFirst()
        request = nil
        tries = 0
        if questions.first == .status || questions.isEmpty { isIdentified = true }
    }

    /// A device that does not answer is taken as it is; its next sign of life asks again.
    mutating func giveUp() {
        stop()
        hasGivenUp = true
    }

    mutating func stop() {
        questions = []
        request = nil
    }
}
