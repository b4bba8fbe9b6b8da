import AdapterABI
import AdapterKit
import Synchronization

/// Does what its setting `script` says.
final class ScriptedAdapter: MeterAdapter, HistoryProviding, LoginProviding {
    static let descriptor = AdapterDescriptor(
        meterType: "scripted", name: "Scripted \u{00E4}", version: "1.2", summary: "For tests", requestsPerDay: 100,
        samplingSeconds: 10, minimumSamplingSeconds: 0.1, lateSeconds: 300,
        settings: [
            Setting("script", .choice, default: "empty", choices: ["empty", "full"], help: "What to do"),
            Setting("names", .list, help: "Names"),
            Setting("factor", .number, help: "A number"),
            Setting("flag", .flag, default: "1", help: "Yes or no"),
            Setting("token", .secret, isRequired: true, help: "A secret"),
        ])

    /// How many instances with the script "counted" there are.
    static let alive = Atomic(0)

    private let host: AdapterHost
    private let script: String

    init(host: AdapterHost) throws(AdapterError) {
        self.host = host
        script = host.setting("script") ?? "none"
        guard script != "refuse" else { throw AdapterError(.misconfigured, "SCRIPTED_SCRIPT refuses") }
        if script == "counted" { Self.alive.add(1, ordering: .relaxed) }
    }

    deinit {
        if script == "counted" { Self.alive.subtract(1, ordering: .relaxed) }
    }

    func start() throws(AdapterError) {
        if script == "start fails" {
            throw AdapterError(.credentialsRefused, String(repeating: "\u{00E4}", count: 400), retryAfterSeconds: 1.5)
        }
        host.log(.warning, "started \(host.list("names")) \(host.number("factor") ?? -1) \(host.flag("flag"))")
    }

    func read(deadline: Deadline) throws(AdapterError) -> Reading {
        switch script {
        case "full": return full
        case "long texts": return longTexts
        case "http": return try overHTTP(deadline)
        case "state": return try counted()
        case "wait":
            var reading = Reading(known: .consumption)
            reading.consumptionPowerW = host.wait(seconds: 0.05) ? 1 : 0
            return reading
        default: return Reading(known: [])
        }
    }

    private var full: Reading {
        var reading = Reading(known: [.grid, .solar])
        reading.quality = .estimated
        reading.timestamp = 1_000
        reading.period = 500
        reading.gridPowerW = -250.5
        reading.solarPowerW = 0
        reading.periodEnergy.importKWh = 0.25
        reading.totalEnergy.importKWh = 1234.5
        reading.totalEnergy.exportKWh = 0
        reading.dayEnergyKWh = 3
        reading.voltagesV = [230, nil, 231]
        reading.frequencyHz = 50
        var car = Circuit(id: "car", name: "Elektroauto \u{1F697}", kind: .ev)
        car.parentID = "garage"
        car.phase = 2
        car.powerW = 7200
        car.totalEnergyKWh = 12
        car.voltageV = 229
        car.currentA = 31
        car.powerFactor = -1
        reading.circuits = [Circuit(id: "garage", name: "", kind: .load), car]
        return reading
    }

    private var longTexts: Reading {
        var reading = Reading(known: .consumption)
        reading.consumptionPowerW = 5
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}"
        reading.circuits = [
            Circuit(id: "letters", name: String(repeating: "n", count: 300), kind: .load),
            Circuit(id: "families", name: String(repeating: family, count: 12), kind: .load),
            Circuit(id: "one sign", name: "a" + String(repeating: "\u{301}", count: 200), kind: .load),
            Circuit(id: String(repeating: "i", count: 256), name: "Long id", kind: .load),
            Circuit(id: "", name: "No id", kind: .load),
            Circuit(id: String(repeating: "i", count: 255), name: "Just right", kind: .load),
        ]
        reading.circuits[0].parentID = String(repeating: "p", count: 256)
        return reading
    }

    private func overHTTP(_ deadline: Deadline) throws(AdapterError) -> Reading {
        var request = HTTPRequest(.post, "http://meter.local/api")
        request.headers = [("Content-Type", "text/plain"), ("X-Empty", "")]
        request.body = "gr\u{00FC}n"
        request.authorization = .digest(user: "u", password: "p")
        request.deadline = deadline
        let response = try host.http(request)
        guard response.status == 200 else {
            throw AdapterError(
                .rateLimited, "status \(response.status)", retryAfterSeconds: response.retryAfterSeconds)
        }
        var reading = Reading(known: .consumption)
        reading.consumptionPowerW = Double(String(decoding: response.body, as: UTF8.self))
        return reading
    }

    /// The power is how often it was read, over restarts: the length of the stored value.
    private func counted() throws(AdapterError) -> Reading {
        let before = host.state("reads") ?? []
        try host.setState("reads", before + [UInt8](repeating: 7, count: 1000))
        var reading = Reading(known: .consumption)
        reading.consumptionPowerW = Double(before.count / 1000 + 1)
        return reading
    }

    func history(_ request: HistoryRequest, put: (Reading) -> Bool) throws(AdapterError) -> HistoryOutcome {
        _ = put(full)
        switch script {
        case "history: complete": return .complete
        case "history: not yet": return .notYet(coveredTo: 500, retryAfterSeconds: 2.5)
        case "history: none before": return .noneBefore(700)
        case "history: none before later": return .noneBefore(5_000)
        default: return .more(coveredTo: request.from + 7)
        }
    }

    func login(_ prompter: LoginPrompter) throws(AdapterError) -> String {
        "hello \(try prompter.ask(.text, "Who?"))"
    }
}

/// Emits by itself.
final class PushingAdapter: MeterAdapter {
    static let descriptor = AdapterDescriptor(
        meterType: "pushing", name: "Pushing", version: "1", summary: "For tests", delivery: .push,
        minimumSamplingSeconds: 0, settings: [])

    private let host: AdapterHost

    init(host: AdapterHost) throws(AdapterError) { self.host = host }

    func start() throws(AdapterError) {
        host.condition(AdapterError(.unreachable, "no broker", retryAfterSeconds: 2))
        try host.spend(3)
        var reading = Reading(known: .grid)
        reading.gridPowerW = 5
        host.log(.info, "emit \(host.emit(reading))")
        host.condition(nil)
    }
}

enum ScriptedLibrary {
    static let version = METER_ABI_MAJOR << 16 | METER_ABI_MINOR

    static func enter(_ hostABI: UInt32 = version) -> UnsafePointer<meter_library>? {
        unsafe exportAdapters(hostABI, ScriptedAdapter.self, PushingAdapter.self)
    }
}
