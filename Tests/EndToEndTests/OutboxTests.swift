import Foundation
import TestSupport
import Testing

@Suite("What waits to be delivered, in an operator's hands", .serialized)
struct OutboxTests {
    private func json(_ result: HostProcess.CommandResult) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result.errors)")
    }

    @Test("Beside a running host: what waits and why, proven, exported, replayed, given up")
    func beside() throws {
        let influx = try InfluxServer()
        influx.stop()
        var settings = QuickMock.to(influx.url, api: "v1")
        settings["INFLUXDB_TAGS"] = "site=home"
        let host = try HostProcess(settings)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("slots that wait", within: 20) { try store.newestOrNone() > 0 && store.slots().count >= 4 }
        try host.waitForHealth("the outage") { "\($0["problems"] ?? "")".contains("is retrying") }

        let list = try json(host.command(["outbox", "--json"]))
        #expect(list["destination"] as? String == "\(influx.url) smart_meter_data")
        #expect(list["state"] as? String == "retrying")
        #expect("\(list["last_answer"] ?? "")".contains("cannot reach"))
        #expect(list["next_attempt"] is String && list["since"] is String)
        let waiting = try #require((list["waiting"] as? [[String: Any]])?.first)
        #expect(waiting["instance"] as? String == "mock")
        #expect(waiting["slots"] as? Int ?? 0 >= 4 && waiting["oldest"] is String)
        let text = try host.command(["outbox", "ls"]).output
        #expect(text.contains("to \(influx.url) smart_meter_data: retrying since "))
        #expect(text.contains("nothing is lost meanwhile"))
        #expect(try json(host.command(["outbox", "verify", "--json"]))["sound"] as? Bool == true)

        // What waits, taken to another InfluxDB by hand.
        let other = try InfluxServer()
        let exported = try host.command(["outbox", "export"])
        #expect(exported.status == 0)
        let answer = try HTTP.post(other.port, "/write?db=smart_meter_data&precision=ns", body: exported.output)
        #expect(answer.status == 204, "\(answer.text)")
        let ends = try store.slots().map(\.end)
        let points = try other.points("smart_meter")
        #expect(points.count >= 4 && points.allSatisfy { ends.contains($0.time) && $0.tags["site"] == "home" })
        let lines = try host.command(["outbox", "export", "--json", "--from", "1970-01-01"]).output
            .split(separator: "\n").map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String] }
        #expect(lines.count > points.count && lines.allSatisfy { $0?["line"]?.hasPrefix("smart_meter") == true })

        // Given up only when one says so; what came before is then never sent.
        #expect(try host.command(["outbox", "drop"]).status == 64)
        let newest = try store.newestEnd()
        let dropped = try json(host.command(["outbox", "drop", "--yes", "--json"]))
        #expect(dropped["dropped_slots"] as? Int ?? 0 >= 4)
        try influx.start()
        let deadline = try store.newestEnd() + 2_000_000_000
        try waitUntil("what came after", within: 90) { try store.deliveredUpTo() >= deadline }
        #expect(try influx.points("smart_meter").allSatisfy { $0.time >= newest })

        // And sent all the same, when one changes one's mind.
        let replayed = try json(host.command(["outbox", "replay", "--from", "1970-01-01", "--json"]))
        #expect(replayed["replayed_slots"] as? Int ?? 0 >= 4)
        try waitUntil("the old ones", within: 30) {
            Set(try influx.points("smart_meter").map(\.time)).isSuperset(of: ends)
        }
    }

    @Test("What real InfluxDB imports is the whole of what was exported")
    func importing() throws {
        let host = try HostProcess(QuickMock.settings)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("slots", within: 20) { try store.newestOrNone() > 0 && store.slots().count >= 4 }
        host.terminate()
        // No host runs: the command reads the store itself.
        let exported = try host.command(["outbox", "export", "--from", "1970-01-01"])
        let folder = try TemporaryDirectory("export")
        let file = try folder.write("export.txt", exported.output)
        let influx = try InfluxServer()
        let client = try ChildProcess(
            "/usr/bin/influx",
            ["-host", "127.0.0.1", "-port", "\(influx.port)", "-import", "-path", file.path, "-precision", "ns"],
            environment: ["HOME": folder.path], logs: folder, name: "influx")
        #expect(try client.waitForEnd(within: 30) == 0, "\(client.errors)")
        let slots = try store.slots()
        #expect(try influx.points("smart_meter").map(\.time) == slots.map(\.end))
        let circuits = slots.reduce(0) { $0 + $1.circuits.count }
        #expect(try influx.points("smart_meter_circuit").count == circuits)
        #expect(try host.command(["outbox"]).output.contains("delivery is off"))
    }
}
