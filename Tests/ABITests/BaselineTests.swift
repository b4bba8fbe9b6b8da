import AdapterABI
import FakeHost
import Foundation
import TestSupport
import Testing

/// Adapters that were built for the recorded interface (`Tests/ABI/baseline`, written by tools/abi-baseline.sh) go on
/// working: the header only appends to it.
@Suite struct BaselineTests {
    private static let header = Checkout.root.appendingPathComponent("Sources/AdapterABI/include/meter_adapter.h")
    private static let baseline = Checkout.root.appendingPathComponent("Tests/ABI/baseline")

    /// What tools/abi.py finds that is more than an addition to the recorded table; empty = nothing.
    private func faults(of header: URL) throws -> String {
        let folder = try TemporaryDirectory("abi")
        defer { withExtendedLifetime(folder) {} }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let compare = try ChildProcess(
            "/usr/bin/python3",
            [
                Checkout.root.appendingPathComponent("tools/abi.py").path, "compare",
                Self.baseline.appendingPathComponent("layout.txt").path, header.path,
            ],
            environment: ["PATH": "\(path):/opt/swift/usr/bin"], logs: folder, name: "compare")
        let status = try compare.waitForEnd(within: 60)
        guard status == 0 || status == 1 && !compare.output.isEmpty else {
            throw FixtureError("abi.py: \(compare.errors)")
        }
        return compare.output
    }

    /// What it finds in the header with one text in it replaced.
    private func faults(replacing old: String, _ new: String) throws -> String {
        let text = try String(contentsOf: Self.header, encoding: .utf8)
        try #require(text.components(separatedBy: old).count == 2, "'\(old)' is in the header once")
        // The header's own assertions would stop a compiler first.
        let changed = text.replacingOccurrences(of: old, with: new)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("METER_STATIC_ASSERT(") }.joined(separator: "\n")
        let folder = try TemporaryDirectory("abi")
        defer { withExtendedLifetime(folder) {} }
        return try faults(of: try folder.write("meter_adapter.h", changed))
    }

    @Test("The header does no more than append to what was recorded")
    func isCompatible() throws {
        let faults = try faults(of: Self.header)
        #expect(faults.isEmpty, "tools/abi-baseline.sh records the header of a new release; what broke:\n\(faults)")
    }

    @Test(
        "An addition is none of their business",
        arguments: [
            ("uint32_t circuit_stride;       /**<", "uint32_t circuit_stride; double apparent_power_va; /**<"),
            ("    double power_factor;        /**<", "    double power_factor; double reactive_var; /**<"),
            ("#define METER_KIND_OTHER 8u", "#define METER_KIND_OTHER 8u\n#define METER_KIND_WATER 9u"),
            (
                "#define METER_LOGIN \"meter.login/1\"",
                "#define METER_LOGIN \"meter.login/1\"\n#define METER_LOGIN_2 \"meter.login/2\""
            ),
            ("#define METER_ABI_MINOR \(METER_ABI_MINOR)u", "#define METER_ABI_MINOR \(METER_ABI_MINOR + 1)u"),
            // What was reserved is zero in what adapters of before send.
            ("    uint32_t reserved;\n    uint64_t present;", "    uint32_t flags;\n    uint64_t present;"),
        ])
    func addition(_ old: String, _ new: String) throws {
        #expect(try faults(replacing: old, new) == "")
    }

    @Test(
        "Anything else is named",
        arguments: [
            // A field in the middle, another order, another type, another name, none.
            (
                "    double grid_power_w;        /**<", "    double reactive_var; double grid_power_w; /**<",
                "meter_reading.grid_power_w"
            ),
            (
                "    int64_t none_before_ns; /**< With NONE_BEFORE. */\n", "",
                "meter_history_result.none_before_ns is gone"
            ),
            ("    int64_t history_reach_ns;     /**<", "    int64_t history_far_ns; /**<", "history_reach_ns is gone"),
            ("    int64_t late_ns;              /**<", "    double late_ns; /**<", "meter_descriptor.late_ns"),
            (
                "    uint32_t reserved;\n    uint64_t present;", "    float gain;\n    uint64_t present;",
                "meter_circuit.reserved"
            ),
            // A function that is called otherwise, at the same place.
            (
                "int32_t (*spend)(void *context, uint32_t requests);",
                "int32_t (*spend)(void *context, uint64_t requests);", "meter_host.spend"
            ),
            // What has no size in it is frozen.
            (
                "} meter_host_state;", "    int32_t (*list)(void *context);\n} meter_host_state;",
                "struct meter_host_state grew"
            ),
            (
                "    uint32_t reserved;\n} meter_text;", "    uint32_t reserved;\n    uint64_t hash;\n} meter_text;",
                "struct meter_text grew"
            ),
            ("    char message[488];       /**<", "    char message[480]; /**<", "meter_error.message"),
            // Numbers and names that adapters hold.
            ("#define METER_TIMEOUT 2 ", "#define METER_TIMEOUT 22 ", "METER_TIMEOUT was: 2; is: 22"),
            ("#define METER_FREQUENCY 0x100000ull", "#define METER_FREQUENCY 0x200000ull", "METER_FREQUENCY"),
            ("\"meter.history/1\"", "\"meter.history/2\"", "METER_HISTORY"),
            ("#define METER_SETTING_LIST 7u ", "#define METER_SETTING_LISTS 7u ", "METER_SETTING_LIST is gone"),
            (
                "meter_library *meter_adapter_entry(uint32_t host_abi);",
                "meter_library *meter_entry(uint32_t host_abi);", "meter_adapter_entry is gone"
            ),
            ("#define METER_ABI_MAJOR \(METER_ABI_MAJOR)u", "#define METER_ABI_MAJOR 7u", "METER_ABI_MAJOR"),
        ])
    func breach(_ old: String, _ new: String, _ word: String) throws {
        let found = try faults(replacing: old, new)
        #expect(found.contains(word), "\(found)")
    }

    @Test("An adapter built against the recorded header says all that it has to say to the host of today")
    func recordedAdapter() throws {
        let folder = try TemporaryDirectory("recorded")
        let library = try RecordedAdapter.build(in: folder)
        let host = FakeHost(settings: ["watts": "412.5"])
        for starts in 1...2 {
            let instance = try AdapterUnderTest(path: library.path).create(host)
            try instance.start()
            #expect(host.values["starts"] == [UInt8(starts)])
            let reading = try instance.read()
            #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER)
            #expect(reading.gridPowerW == 412.5)
            #expect(reading.solarPowerW == 1000)
            #expect(reading.totalImportKWh == 101.25)
            #expect(reading.totalExportKWh == 202.25)
            #expect(reading.dayEnergyKWh == 3.5)
            #expect(reading.voltagesV == [nil, nil, 231.5])
            #expect(reading.frequencyHz == 49.98)
            #expect(reading.timestamp == host.wall)
            let circuit = try #require(reading.circuits.first)
            #expect(circuit.id == "one" && circuit.name == "Circuit One" && circuit.kind == METER_KIND_HEATING)
            #expect(circuit.powerW == 12.5 && circuit.totalEnergyKWh == 34.5 && circuit.powerFactor == 0.75)
            instance.stop()
        }
        let instance = try AdapterUnderTest(path: library.path).create(host)
        try instance.start()
        let second: Int64 = 1_000_000_000
        let answer = try instance.history(from: 10 * second, to: 13 * second, step: second)
        #expect(answer.outcome == METER_HISTORY_COMPLETE)
        #expect(answer.records.map(\.timestamp) == [11, 12, 13].map { $0 * second })
        #expect(host.spent == 2)
        #expect(host.logs.allSatisfy { $0.contains("started") })
    }
}
