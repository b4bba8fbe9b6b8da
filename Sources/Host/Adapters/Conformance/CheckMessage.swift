import Readings

/// What the child of a checker needs to know.
struct CheckSetup: Hashable, Sendable {
    /// The file itself: what it needs beside it is found.
    var library: String
    /// Libraries to load before it, by path.
    var needed: [String] = []
    /// The adapter that is checked; empty = the first.
    var meterType = ""
    /// What the adapter gets; without the defaults.
    var settings: [String: String] = [:]
    /// The checks, by name; none = describe the adapters only.
    var checks: [String] = []
    var seed: UInt64 = 0
    /// Nanoseconds that a push adapter's readings are waited for.
    var wait: Int64 = 0
    /// Whether the file is the host's own: it may use what the host brings along.
    var isRelease = false

    private static let longestText = 1 << 20

    var encoded: [UInt8] {
        Frame.encode(1, capacity: 1024) { writer in
            writer.write(text: library)
            writer.write(text: meterType)
            for texts in [needed, settings.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }, checks] {
                writer.write(UInt32(clamping: texts.count))
                for text in texts { writer.write(text: text) }
            }
            writer.write(seed)
            writer.write(wait)
            writer.write(isRelease)
        }
    }

    init(library: String) { self.library = library }

    init?(_ frame: Frame) {
        var reader = ByteReader(frame.payload)
        guard let library = reader.readText(limit: Self.longestText),
            let meterType = reader.readText(limit: Self.longestText), let needed = Self.texts(&reader),
            let pairs = Self.texts(&reader), pairs.count.isMultiple(of: 2), let checks = Self.texts(&reader),
            let seed = reader.read(UInt64.self), let wait = reader.read(Int64.self), let isRelease = reader.readBool()
        else { return nil }
        self.init(library: library)
        self.meterType = meterType
        self.needed = needed
        for index in stride(from: 0, to: pairs.count, by: 2) { settings[pairs[index]] = pairs[index + 1] }
        self.checks = checks
        self.seed = seed
        self.wait = wait
        self.isRelease = isRelease
    }

    private static func texts(_ reader: inout ByteReader) -> [String]? {
        guard let count = reader.read(UInt32.self) else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let text = reader.readText(limit: longestText) else { return nil }
            texts.append(text)
        }
        return texts
    }
}

/// What the child of a checker says.
enum CheckMessage: Sendable {
    /// An adapter of the library.
    case described(AdapterDescription)
    /// The host would not use the library: why.
    case refused(String)
    /// The next check begins.
    case begin(String)
    /// A call into the adapter begins, and nothing is said about its end.
    case call(String)
    /// The check that had begun is over.
    case result(outcome: String, seen: String, expected: String, advice: String)
    case done

    private static let longestText = 1 << 16

    var encoded: [UInt8] {
        switch self {
        case .described(let description): Frame.encode(1, capacity: 512) { description.write(to: &$0) }
        case .refused(let reason): Self.encode(2, [reason])
        case .begin(let name): Self.encode(3, [name])
        case .call(let name): Self.encode(4, [name])
        case .result(let outcome, let seen, let expected, let advice):
            Self.encode(5, [outcome, seen, expected, advice])
        case .done: Self.encode(6, [])
        }
    }

    private static func encode(_ kind: UInt8, _ texts: [String]) -> [UInt8] {
        Frame.encode(kind) { writer in
            for text in texts { writer.write(text: text.prefix(4096)) }
        }
    }

    /// Nil where it makes no sense: an adapter has written into the line.
    init?(_ frame: Frame) {
        var reader = ByteReader(frame.payload)
        func text() -> String? { reader.readText(limit: Self.longestText) }
        switch frame.kind {
        case 1:
            guard let description = AdapterDescription(&reader) else { return nil }
            self = .described(description)
        case 2, 3, 4:
            guard let text = text() else { return nil }
            self = frame.kind == 2 ? .refused(text) : frame.kind == 3 ? .begin(text) : .call(text)
        case 5:
            guard let outcome = text(), let seen = text(), let expected = text(), let advice = text() else {
                return nil
            }
            self = .result(outcome: outcome, seen: seen, expected: expected, advice: advice)
        case 6: self = .done
        default: return nil
        }
    }
}
