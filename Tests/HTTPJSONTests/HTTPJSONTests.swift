import AdapterABI
import FakeHost
import Foundation
import Synchronization
import TestSupport
import Testing

/// The adapter as it ships: through its library and the C interface, with the network in the test's hands.
@Suite struct HTTPJSONTests {
    /// A device that answers with what it is told.
    private final class Device: Sendable {
        private let state: Mutex<(answer: FakeAnswer, requests: [FakeRequest])>

        init(_ body: String) { state = Mutex((.answer(status: 200, body: body), [])) }

        var requests: [FakeRequest] { state.withLock { $0.requests } }

        func set(_ answer: FakeAnswer) { state.withLock { $0.answer = answer } }
        func set(_ body: String) { set(.answer(status: 200, body: body)) }

        func respond(_ request: FakeRequest) -> FakeAnswer {
            state.withLock { state in
                state.requests.append(request)
                return state.answer
            }
        }
    }

    private func instance(
        _ device: Device, _ settings: [String: String]
    ) throws -> (host: FakeHost, meter: InstanceUnderTest) {
        let host = FakeHost(
            settings: ["url": "http://meter/status?key=t0psecret"].merging(settings) { $1 }, respond: device.respond)
        let library = Checkout.product("libsmartmeter-httpjson.so")
        let meter = try AdapterUnderTest(path: library).create(host)
        try meter.start()
        return (host, meter)
    }

    private func reading(_ body: String, _ settings: [String: String]) throws -> EmittedReading {
        try instance(Device(body), settings).meter.read()
    }

    private func failure(_ body: String, _ settings: [String: String]) throws -> AdapterFailure {
        try #require(throws: AdapterFailure.self) { try reading(body, settings) }
    }

    // MARK: Where a number stands

    private static let house = """
        {"phases": [{"power": 100.5, "v": 230.1}, {"power": 200, "v": 229}, {"power": -50, "v": 231}],
         "pv": {"kw": "1.5"}, "odd key": {"a.b": 7}, "meters": [{"id": "a", "w": 1}, {"id": 2, "w": 20}],
         "sum": null, "text": "n/a", "energy": {"in": 1234567, "out": 89.5}}
        """

    @Test(
        "A path leads to its number",
        arguments: [
            ("phases[0].power", 100.5), ("$.phases[1].power", 200), ("phases[-1].power", -50),
            ("phases[*].power", 250.5), ("-phases[*].power", -250.5), ("pv.kw kW", 1500), ("-pv.kw kW", -1500),
            ("[\"odd key\"][\"a.b\"]", 7), ("meters[id=a].w", 1), ("meters[id=2].w kW", 20_000),
            ("phases[0].power + phases[1].power", 300.5), ("phases[0].power - phases[1].power + pv.kw kW", 1400.5),
            ("- phases[0].power", -100.5),
        ] as [(String, Double)])
    func path(_ path: String, _ watts: Double) throws {
        #expect(try reading(Self.house, ["grid": path]).gridPowerW == watts)
    }

    @Test("A list may be all there is")
    func rootList() throws {
        #expect(try reading("[{\"w\": 3}, {\"w\": 4}]", ["consumption": "[1].w"]).consumptionPowerW == 4)
    }

    @Test(
        "What is no path is refused by the name of its setting",
        arguments: [
            ("a..b", "point"), ("a[", "]"), ("a[b]", "[b]"), ("a[\"b]", "\"]"), ("a watts", "watts"),
            ("a kW kW", "more than"), ("a +", "ends"), ("a + - b", "before"), ("$", "nothing"), ("+ a", "before"),
        ])
    func badPath(_ path: String, _ word: String) throws {
        let failure = try failure(Self.house, ["solar": path])
        #expect(failure.code == METER_MISCONFIGURED)
        #expect(failure.message.hasPrefix("HTTP_JSON_SOLAR: "))
        #expect(failure.message.contains(word), "\(failure.message)")
    }

    // MARK: What a reading says

    @Test("Powers, counters, voltages, frequency and time, each in its unit")
    func everything() throws {
        let body = """
            {"g": -1200, "s": 2.5, "b": 300, "imp": 1234567, "exp": 89.5, "prod": 3600000000, "day": 4200,
             "v": [230, 231000], "f": 50.02, "at": 1767225600500}
            """
        let reading = try reading(
            body,
            [
                "grid": "g", "solar": "s kW", "battery": "b", "import_total": "imp Wh", "export_total": "exp",
                "production_total": "prod J", "day_energy": "day Wh", "voltages": "v[0], v[1] mV", "frequency": "f",
                "time": "at ms",
            ])
        #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER | METER_BATTERY_POWER)
        #expect(reading.gridPowerW == -1200)
        #expect(reading.solarPowerW == 2500)
        #expect(reading.batteryPowerW == 300)
        #expect(reading.totalImportKWh == 1234.567)
        #expect(reading.totalExportKWh == 89.5)
        #expect(abs((reading.totalProductionKWh ?? 0) - 1000) < 1e-9)
        #expect(reading.dayEnergyKWh == 4.2)
        #expect(reading.voltagesV == [230, 231, nil])
        #expect(reading.frequencyHz == 50.02)
        #expect(reading.timestamp == 1_767_225_600_500_000_000)
        #expect(reading.quality == METER_QUALITY_MEASURED)
    }

    @Test("What is not there is left out and told once; a part of a sum that is missing takes the sum with it")
    func missing() throws {
        let device = Device(Self.house)
        let (host, meter) = try instance(
            device, ["grid": "phases[0].power", "solar": "sum", "battery": "phases[0].power + text"])
        for _ in 0..<3 {
            let reading = try meter.read()
            #expect(reading.gridPowerW == 100.5)
            #expect(reading.solarPowerW == nil)
            #expect(reading.batteryPowerW == nil)
            #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER | METER_BATTERY_POWER)
        }
        // null is a meter's own word for "not now".
        #expect(host.logs.count == 1)
        #expect(host.logs.first?.contains("text is not a number") == true)
    }

    @Test(
        "An answer in which nothing is found is bad data, by the path",
        arguments: [
            ("{}", "phases[0].power is not in the answer"), ("{\"phases\": 3}", "phases[0].power"),
            ("{\"phases\": [{\"power\": true}]}", "is not a number"),
            ("{\"phases\": [{\"power\": 1e999}]}", "is not a number"), ("{\"phases\": [{\"power\": null}]}", "null"),
            ("<html>", "not JSON"), ("", "not JSON"), ("{\"phases\": [", "not JSON"),
        ])
    func nothing(_ body: String, _ words: String) throws {
        let failure = try failure(body, ["grid": "phases[0].power"])
        #expect(failure.code == METER_BAD_DATA)
        #expect(failure.message.contains(words), "\(failure.message)")
        #expect(failure.message.contains("http://meter/status"))
        #expect(!failure.message.contains("t0psecret"))
    }

    // MARK: Circuits

    @Test("Circuits have an id, a name, a kind, a power and a counter")
    func circuits() throws {
        let body = "{\"hp\": {\"w\": 800, \"wh\": 52000}, \"wb\": {\"kw\": 7.4}, \"pv\": 300}"
        let reading = try reading(
            body,
            ["circuits": "hp:Heat pump (heating) = hp.w; hp.wh Wh, Wallbox = wb.kw kW, Dryer (load) = dryer, PV = pv"])
        #expect(reading.circuits.map(\.id) == ["hp", "Wallbox", "Dryer", "PV"])
        #expect(reading.circuits.map(\.name) == ["Heat pump", "Wallbox", "Dryer", "PV"])
        #expect(
            reading.circuits.map(\.kind) == [METER_KIND_HEATING, METER_KIND_EV, METER_KIND_LOAD, METER_KIND_SOLAR])
        #expect(reading.circuits.map(\.powerW) == [800, 7400, nil, 300])
        #expect(reading.circuits.map(\.totalEnergyKWh) == [52, nil, nil, nil])
    }

    @Test("A list of the answer gives a circuit an element, by an id of its own")
    func circuitList() throws {
        let body = """
            {"channels": [{"id": 7, "label": "Oven", "p": 1200, "e": 5000}, {"id": "x", "label": "EV charger", "p": 0},
                          {"label": "nobody", "p": 9}, {"id": 7, "label": "twice", "p": 9}]}
            """
        let reading = try reading(
            body,
            [
                "circuit_list": "channels", "circuit_name": "label", "circuit_power": "p", "circuit_energy": "e Wh",
            ])
        #expect(reading.circuits.map(\.id) == ["7", "x"])
        #expect(reading.circuits.map(\.name) == ["Oven", "EV charger"])
        #expect(reading.circuits.map(\.kind) == [METER_KIND_LOAD, METER_KIND_EV])
        #expect(reading.circuits.map(\.powerW) == [1200, 0])
        #expect(reading.circuits.map(\.totalEnergyKWh) == [5, nil])
    }

    // MARK: Access

    @Test("The token, the headers and the password are sent, and never said")
    func access() throws {
        let device = Device("{\"p\": 1}")
        let settings = ["grid": "p", "headers": "X-API-Key: k3y, X-Site: 7"]
        _ = try instance(device, settings.merging(["token": "t0ken"]) { $1 }).meter.read()
        #expect(device.requests.last?.authorization == METER_AUTH_BEARER)
        #expect(device.requests.last?.secret == "t0ken")
        #expect(device.requests.last?.headers["X-API-Key"] == "k3y")
        #expect(device.requests.last?.headers["X-Site"] == "7")
        // A key in a header stays with the server that it is for.
        #expect(device.requests.last?.followsRedirects == false)
        #expect(device.requests.last?.url == "http://meter/status?key=t0psecret")
        let account = settings.merging(["username": "u", "password": "p4ss"]) { $1 }
        _ = try instance(device, account).meter.read()
        #expect(device.requests.last?.authorization == METER_AUTH_BASIC)
        _ = try instance(device, account.merging(["auth": "digest"]) { $1 }).meter.read()
        #expect(device.requests.last?.authorization == METER_AUTH_DIGEST)
        #expect(device.requests.last?.user == "u")
        #expect(device.requests.last?.secret == "p4ss")
    }

    @Test(
        "A refusal says what to check",
        arguments: [
            (401, METER_UNAUTHORIZED, "HTTP_JSON_TOKEN"), (403, METER_UNAUTHORIZED, "HTTP_JSON_TOKEN"),
            (404, METER_NOT_FOUND, "HTTP_JSON_URL"), (429, METER_RATE_LIMITED, "fewer"),
            (500, METER_UNAVAILABLE, "500"), (302, METER_BAD_DATA, "elsewhere"),
        ] as [(Int32, Int32, String)])
    func refusal(_ status: Int32, _ code: Int32, _ words: String) throws {
        let device = Device("")
        device.set(.answer(status: status, body: "{\"grid\": 1}"))
        let (_, meter) = try instance(device, ["grid": "grid", "token": "t0ken"])
        let failure = try #require(throws: AdapterFailure.self) { try meter.read() }
        #expect(failure.code == code)
        #expect(failure.message.contains(words), "\(failure.message)")
        #expect(!failure.message.contains("t0ken") && !failure.message.contains("t0psecret"))
    }

    @Test("Once the device answers again, readings come again")
    func recovers() throws {
        let device = Device("{\"p\": 5}")
        let (_, meter) = try instance(device, ["grid": "p"])
        device.set(.failure(code: METER_UNREACHABLE, message: "connection refused"))
        #expect(throws: AdapterFailure.self) { try meter.read() }
        device.set("{\"p\": 6}")
        #expect(try meter.read().gridPowerW == 6)
    }

    @Test(
        "Settings that make no sense are refused by their names",
        arguments: [
            (["grid": ""], "HTTP_JSON_GRID"), (["grid": "a", "url": "ftp://x"], "HTTP_JSON_URL"),
            (["grid": "a", "headers": "nonsense"], "HTTP_JSON_HEADERS"),
            (["grid": "a", "headers": "A\r\nB: c"], "HTTP_JSON_HEADERS"),
            (["grid": "a", "token": "t", "username": "u"], "HTTP_JSON_TOKEN"),
            (["circuits": "a"], "HTTP_JSON_CIRCUITS"),
            (["circuits": "a (cat) = b"], "HTTP_JSON_CIRCUITS"), (["circuits": "a = b, a = c"], "HTTP_JSON_CIRCUITS"),
            (["circuits": " = b"], "HTTP_JSON_CIRCUITS"), (["circuit_list": "a"], "HTTP_JSON_CIRCUIT_POWER"),
            (["grid": "a", "time": "t minutes"], "HTTP_JSON_TIME"),
        ] as [([String: String], String)])
    func badSettings(_ settings: [String: String], _ name: String) throws {
        let failure = try failure("{}", settings)
        #expect(failure.code == METER_MISCONFIGURED)
        #expect(failure.message.contains(name), "\(failure.message)")
    }

    @Test("Whatever the bytes are, it answers and lives")
    func hostile() throws {
        var random = SeededRandom(seed: 42)
        let device = Device("")
        let (_, meter) = try instance(
            device,
            [
                "grid": "a[*].b + a[0].c", "voltages": "a[0], a[1]", "circuits": "x = a[id=1].b", "time": "t",
                "circuit_list": "l", "circuit_power": "p",
            ])
        let words = [
            "{", "}", "[", "]", "\"a\"", "\"b\"", ":", ",", "1e308", "-9223372036854775808", "null", "\"l\"", "t",
        ]
        for _ in 0..<2000 {
            let count = Int.random(in: 0...20, using: &random)
            device.set((0..<count).map { _ in words.randomElement(using: &random) ?? "" }.joined())
            do { _ = try meter.read() } catch let failure as AdapterFailure { #expect(failure.code == METER_BAD_DATA) }
        }
    }
}
