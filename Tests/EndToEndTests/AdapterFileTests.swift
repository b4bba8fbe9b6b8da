import Foundation
import TestSupport
import Testing

@Suite("Adapters dropped into ADAPTER_PATH", .serialized)
struct AdapterFileTests {
    @Test("An adapter in C, written against the header alone, delivers to InfluxDB")
    func adapterInC() throws {
        let folder = try TemporaryDirectory("adapters")
        try CAdapter.build(as: "constant.so", in: folder)
        let influx = try InfluxServer()
        let host = try HostProcess([
            "METER_TYPE": "constant", "CONSTANT_INTERVAL_SECONDS": "1", "ADAPTER_PATH": folder.path,
            "INFLUXDB_URL": influx.url, "INFLUXDB_API": "v1",
        ])
        try waitUntil("points; the log:\n\(host.log.suffix(2000))", within: 20) {
            try influx.points("smart_meter_circuit").count >= 2
        }
        #expect(try influx.points("smart_meter").last?.number("total_power_w") == 1000)
        let circuit = try #require(try influx.points("smart_meter_circuit").last)
        #expect(circuit.tags == ["meter_type": "constant", "circuit_name": "Boiler, \"big\" = hot"])
        #expect(circuit.number("power_w") == 250)
        #expect(circuit.number("percentage") == 25)
    }

    @Test("What cannot be an adapter is refused with the file's name and a reason, and the host goes on")
    func refused() throws {
        let folder = try TemporaryDirectory("adapters")
        let good = try Data(contentsOf: CAdapter.build(as: "constant.so", in: folder))
        try CAdapter.build(as: "major.so", in: folder, macros: ["MAJOR=9", "METER_TYPE_NAME=\"major\""])
        try CAdapter.build(as: "nameless.so", in: folder, macros: ["METER_TYPE_NAME=\"\""])
        try CAdapter.build(as: "shadow.so", in: folder, macros: ["METER_TYPE_NAME=\"mock\""])
        try CAdapter.build(as: "symbol.so", in: folder, macros: ["ENTRY=another_entry", "METER_TYPE_NAME=\"symbol\""])
        try good.prefix(good.count / 2).write(to: folder.file("truncated.so"))
        try Data().write(to: folder.file("empty.so"))
        try Data("not a library".utf8).write(to: folder.file("text.so"))
        var foreign = good
        // e_machine of the ELF header: AArch64, or x86-64 on an AArch64 machine.
        foreign[18] = good[18] == 183 ? 62 : 183
        try foreign.write(to: folder.file("foreign.so"))

        let settings = QuickMock.settings.merging(["ADAPTER_PATH": folder.path]) { $1 }
        let listing = try HostProcess.command(["adapters"], settings: settings)
        let said = listing.output + listing.errors
        for name in [
            "major.so", "nameless.so", "shadow.so", "symbol.so", "truncated.so", "empty.so", "text.so", "foreign.so",
        ] {
            let line = said.split(separator: "\n").first { $0.contains(name) }
            #expect((line?.count ?? 0) > name.count + folder.path.count + 10, "\(name): \(line ?? "not a word")")
        }
        #expect(said.contains("constant"))

        let host = try HostProcess(settings)
        try host.waitForConsumption("the mock's reading") { $0["meter_type"] as? String == "mock" }
        for name in ["major.so", "truncated.so", "text.so", "foreign.so"] { try host.waitForLog(name) }
    }
}
