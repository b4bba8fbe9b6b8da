import AdapterKit

/// What a login gives: the tokens and the monitors that they are good for. It outlives a restart in the host's state.
struct Account: Equatable, Sendable {
    /// Whose it is, and where: tokens are never shown to another.
    var email: String
    var url: String
    var accountID = ""
    var userID: String
    var accessToken: String
    var refreshToken: String
    var monitors: [Monitor] = []
    /// The one that was the only one, and stays when others come.
    var chosenID: String?

    private static let mostMonitors = 100
    private static let longestToken = 8192

    /// What `authenticate` and `authenticate/mfa` answer; nil where something that is needed is not there.
    init?(answer: JSON, email: String, url: String) {
        guard answer["authorized"]?.flag != false, let tokens = Tokens(answer) else { return nil }
        self.email = email
        self.url = url
        accountID = answer["account_id"].flatMap(Monitor.id) ?? ""
        userID = tokens.userID
        accessToken = tokens.access
        refreshToken = tokens.refresh
        monitors = (answer["monitors"]?.list ?? []).prefix(Self.mostMonitors).compactMap(Monitor.init)
    }

    /// Takes what `renew` answers: all of it is new. False where it is not all there.
    mutating func renew(_ answer: JSON) -> Bool {
        guard let tokens = Tokens(answer) else { return false }
        userID = tokens.userID
        accessToken = tokens.access
        refreshToken = tokens.refresh
        return true
    }

    private struct Tokens {
        var userID: String
        var access: String
        var refresh: String

        init?(_ answer: JSON) {
            guard let userID = answer["user_id"].flatMap(Monitor.id),
                let access = answer["access_token"]?.text, let refresh = answer["refresh_token"]?.text,
                Self.isToken(access), Self.isToken(refresh)
            else { return nil }
            self.userID = userID
            self.access = access
            self.refresh = refresh
        }

        /// Fit for a header.
        private static func isToken(_ text: String) -> Bool {
            (1...Account.longestToken).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
    }

    // MARK: Keeping

    init?(stored: [UInt8]) {
        guard let json = JSON.parse(stored), let email = json["email"]?.text, let url = json["api_url"]?.text else {
            return nil
        }
        self.init(answer: json, email: email, url: url)
        chosenID = json["monitor"].flatMap(Monitor.id)
    }

    var encoded: [UInt8] {
        let texts = [
            ("email", email), ("api_url", url), ("account_id", accountID), ("user_id", userID),
            ("access_token", accessToken), ("refresh_token", refreshToken), ("monitor", chosenID ?? ""),
        ]
        let members = texts.map { "\"\($0.0)\":\(JSON.quoted($0.1))" }
        let list = monitors.map(\.encoded).joined(separator: ",")
        return Array("{\(members.joined(separator: ",")),\"monitors\":[\(list)]}".utf8)
    }
}

/// A monitor of an account.
struct Monitor: Equatable, Sendable {
    var id: String
    /// Such as America/New_York.
    var zone: String
    var hasSolar: Bool

    init(id: String, zone: String, hasSolar: Bool) {
        self.id = id
        self.zone = zone
        self.hasSolar = hasSolar
    }

    init?(_ json: JSON) {
        guard let id = json["id"].flatMap(Self.id) else { return nil }
        self.id = id
        zone =
            json["time_zone"]?.text.map {
                String($0.unicodeScalars.filter { $0.value > 0x20 }.prefix(64).map(Character.init))
            } ?? ""
        hasSolar = json["solar_configured"]?.flag ?? false
    }

    /// For people.
    var words: String { "\(id) (\(zone.isEmpty ? "zone unknown" : zone)\(hasSolar ? ", with solar" : ""))" }

    /// A number or a short word, fit for an address.
    static func id(_ json: JSON) -> String? {
        let text = json.text ?? json.integer.map(String.init)
        return text.flatMap { isID($0) ? $0 : nil }
    }

    static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
    }

    fileprivate var encoded: String {
        "{\"id\":\(JSON.quoted(id)),\"time_zone\":\(JSON.quoted(zone)),\"solar_configured\":\(hasSolar)}"
    }
}
