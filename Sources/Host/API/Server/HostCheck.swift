import Glibc

/// Which Host headers are answered. A page of the internet whose name an attacker points at this machine (DNS
/// rebinding) is read by the browser as one of its own: it sends that name as Host, and is refused by it.
package struct HostCheck: Sendable {
    private let allowed: Set<String>

    /// `allowed`: further names, compared without case.
    package init(allowed: [String] = []) {
        self.allowed = Set(allowed.map { $0.lowercased() })
    }

    /// Addresses, names without a dot, names that exist in a house's network only, and the allowed ones.
    package func accepts(_ header: String) -> Bool {
        guard let name = Self.name(in: header) else { return false }
        return !name.contains(".") || Self.isAddress(name) || allowed.contains(name)
            || [".local", ".lan", ".home.arpa"].contains { name.hasSuffix($0) }
    }

    /// Without port, brackets and the root's dot, in lower case.
    private static func name(in header: String) -> String? {
        if header.hasPrefix("[") {
            guard let end = header.firstIndex(of: "]") else { return nil }
            let literal = String(header[header.index(after: header.startIndex)..<end])
            return isAddress(literal) ? literal : nil
        }
        var name = header.prefix { $0 != ":" }
        if name.last == "." { name.removeLast() }
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
            default: false
            }
        }
        return name.isEmpty || !isName ? nil : name.lowercased()
    }

    private static func isAddress(_ text: String) -> Bool {
        var space = in6_addr()
        // The space is large enough for either family.
        return unsafe inet_pton(AF_INET, text, &space) == 1 || inet_pton(AF_INET6, text, &space) == 1
    }
}
