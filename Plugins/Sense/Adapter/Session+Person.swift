import AdapterKit

// A login with the help of a person.
extension Session {
    /// What may be mistyped.
    private static let mostCodes = 3

    /// With a person, who is asked for what the settings lack.
    /// - Returns: what was found.
    func logIn(_ prompter: LoginPrompter) throws(AdapterError) -> String {
        let password =
            preferences.password.isEmpty
            ? try prompter.ask(.secret, "Password of the Sense account \(preferences.email)") : preferences.password
        switch try authenticate(password, patience) {
        case .done(let account): return Self.words(account)
        case .needsCode(let ticket):
            let account =
                preferences.codes == nil
                ? try ask(prompter, ticket, password) : try answer(ticket, password, patience)
            return Self.words(account)
        }
    }

    private func ask(
        _ prompter: LoginPrompter, _ ticket: String, _ password: String
    ) throws(AdapterError) -> Account {
        var question = "One-time code of the Sense account \(preferences.email)"
        for _ in 0..<Self.mostCodes {
            let code = try prompter.ask(.code, question).filter { !$0.isWhitespace }
            switch try answer(ticket, with: code, password, patience) {
            case .taken(let account): return account
            case .refused(let reason): question = "Sense does not take this code (\(reason)). Another one-time code"
            }
        }
        throw AdapterError(.loginRequired, "Sense took none of \(Self.mostCodes) one-time codes")
    }

    /// For a call that has no deadline of its own.
    private var patience: Deadline { Deadline(monotonic: host.nowMonotonic + 15 * Time.second) }

    private static func words(_ account: Account) -> String {
        let monitors = account.monitors.map(\.words).joined(separator: ", ")
        let advice = account.monitors.count > 1 ? "; SENSE_MONITOR_ID says which one is read" : ""
        return "Sense account \(account.accountID) of \(account.email), "
            + (account.monitors.isEmpty ? "without a monitor" : "monitor \(monitors)\(advice)")
    }
}
