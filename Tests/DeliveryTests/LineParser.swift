/// Line protocol read as its specification has it, independently of the writer.
struct ParsedLine: Equatable {
    var measurement = ""
    var tags: [String: String] = [:]
    var fields: [String: String] = [:]
    var time: Int64 = 0

    init?(_ text: Substring) {
        var rest = Array(text)[...]
        measurement = Self.take(&rest, until: [",", " "])
        while rest.first == "," {
            rest.removeFirst()
            let key = Self.take(&rest, until: ["="])
            rest = rest.dropFirst()
            let value = Self.take(&rest, until: [",", " "])
            guard !key.isEmpty, !value.isEmpty, tags.updateValue(value, forKey: key) == nil else { return nil }
        }
        repeat {
            guard let separator = rest.popFirst(), separator == " " || separator == "," else { return nil }
            let key = Self.take(&rest, until: ["="])
            rest = rest.dropFirst()
            let value = rest.first == "\"" ? Self.quoted(&rest) : Self.take(&rest, until: [",", " "])
            guard !key.isEmpty, let value, fields.updateValue(value, forKey: key) == nil else { return nil }
        } while rest.first == ","
        guard rest.popFirst() == " ", let time = Int64(String(rest)) else { return nil }
        self.time = time
    }

    private static func take(_ rest: inout ArraySlice<Character>, until ends: Set<Character>) -> String {
        var text = ""
        while let next = rest.first, !ends.contains(next) {
            rest.removeFirst()
            if next == "\\", let escaped = rest.first, [",", "=", " "].contains(escaped) {
                text.append(escaped)
                rest.removeFirst()
            } else {
                text.append(next)
            }
        }
        return text
    }

    private static func quoted(_ rest: inout ArraySlice<Character>) -> String? {
        rest.removeFirst()
        var text = ""
        while let next = rest.popFirst() {
            if next == "\"" { return text }
            if next == "\\" {
                guard let escaped = rest.popFirst() else { return nil }
                text.append(escaped)
            } else {
                text.append(next)
            }
        }
        return nil
    }
}
