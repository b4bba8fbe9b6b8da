import AdapterABI
import Configuration
import Platform
import Readings

/// Whatever a person, a meter or an earlier version may have left: nothing of it ends the process. The seed is printed;
/// with the same one the same values come.
enum RobustnessChecks {
    private static let rounds = 60
    /// In which an adapter that asks something of the host's HTTP has done so.
    private static let roundsToAsk = 10
    /// Where each round takes long, there are fewer.
    private static let time = 12 * Duration.second

    private static let tooLong = String(repeating: "x", count: 4096)

    static let table: [ConformanceCheck] = [
        ConformanceCheck("robust-settings", .robustness, "Random values of its settings make no crash and no hang") {
            (bench) throws(Finding) in
            let adapter = try bench.adapter()
            guard !adapter.description.settings.isEmpty else { throw .skipped("it has no settings") }
            var random = SeededNumbers(seed: bench.setup.seed)
            let deadline = Clock.monotonic() + time
            for round in 0..<rounds where Clock.monotonic() < deadline {
                var values = bench.settings(adapter)
                for setting in adapter.description.settings where round == 0 || random.below(2) == 0 {
                    // What is too long for a buffer is tried whatever the seed.
                    let isLong = round == 0 && setting.kind.accepted(tooLong) != nil
                    values[setting.name] = isLong ? tooLong : value(of: setting.kind, &random)
                }
                try bench.instance(.refused, settings: values).live(isBrief: true)
            }
        },
        ConformanceCheck("robust-answers", .robustness, "Random answers of the meter make no crash and no hang") {
            (bench) throws(Finding) in
            var requests = 0
            let deadline = Clock.monotonic() + time
            for round in 0..<rounds where Clock.monotonic() < deadline && (requests > 0 || round < roundsToAsk) {
                let instance = try bench.instance(.random(seed: bench.setup.seed &+ UInt64(round) &* 1000))
                instance.live(reads: 2, isBrief: true)
                requests += instance.network.requests
            }
            if requests == 0 { throw .skipped("it asks nothing of the host's HTTP") }
        },
        ConformanceCheck("robust-state", .robustness, "Random values of meter.host.state/1 make no crash and no hang") {
            (bench) throws(Finding) in
            var random = SeededNumbers(seed: bench.setup.seed)
            var isAsked = false
            let deadline = Clock.monotonic() + time
            for round in 0..<rounds where Clock.monotonic() < deadline {
                let value = round == 0 ? [] : random.bytes(random.below(round == 1 ? 65_536 : 100))
                let services = try bench.services(value: value)
                try bench.instance(.refused, services: services).live(isBrief: true)
                isAsked = isAsked || services.seen.asksState
            }
            if !isAsked { throw .skipped("it keeps no state") }
        },
    ]

    /// One that the host would hand over.
    private static func value(of kind: SettingKind, _ random: inout SeededNumbers) -> String {
        let odd = [
            "", " ", "0", "-1", "1e308", "%s%n%x", "../../etc/passwd", "\u{FEFF}", "ä€😀", "a,b,,c,", "\"'\\", "{}",
            tooLong, "\r\nHost: other", "=;&?#", "1:2:3", "*", "(", "[a-",
        ]
        let text =
            random.below(3) == 0
            ? String(decoding: random.bytes(random.below(40)), as: UTF8.self) : odd[random.below(odd.count)]
        switch kind {
        case .text, .secret, .list, .file: return kind.accepted(text) ?? "x"
        case .flag: return random.below(2) == 0 ? "0" : "1"
        case .number, .integer, .interval:
            let numbers = ["0", "-0", "-1", "1e308", "-1e308", "0.0000001", "99999999999999999999", "1e-320", "5"]
            return numbers[random.below(numbers.count)]
        case .choice(let words): return words.isEmpty ? "" : words[random.below(words.count)]
        case .url:
            let urls = [
                "http://x", "https://[::1]:99999/a?b#c", "http://user:pass@host/",
                "http://" + String(repeating: "h", count: 2000),
                "http://host/%zz/../..", "mqtt://h:1", "http://h:0",
            ]
            return kind.accepted(urls[random.below(urls.count)]) ?? "http://x"
        }
    }
}
