import Foundation
import TestSupport
import Testing

/// The adapters of `Examples`, and one of a release before, in the host.
@Suite(.serialized) struct ExampleTests {
    private let logs: TemporaryDirectory

    init() throws { logs = try TemporaryDirectory("examples") }

    @Test("The example in Rust pushes what comes by UDP, says when nothing comes, and stops in time")
    func rust() throws {
        let workshop = try Workshop()
        let example = Checkout.root.appendingPathComponent("Examples/rust").path
        // What it is built of is kept beside what else is built here.
        let target = Checkout.products.deletingLastPathComponent().appendingPathComponent("cargo").path
        try workshop.succeed(
            """
            export CARGO_TARGET_DIR='\(target)'
            cargo test --offline --manifest-path '\(example)/Cargo.toml'
            cargo build --offline --manifest-path '\(example)/Cargo.toml'
            mkdir adapters && chmod 755 adapters && cp '\(target)/debug/libsmartmeter_udp.so' adapters/
            """)
        #expect(try workshop.exports("adapters/libsmartmeter_udp.so") == ["meter_adapter_entry"])

        let port = try Loopback.freePort()
        let host = try HostProcess([
            "METER_TYPE": "udp", "ADAPTER_PATH": workshop.folder.file("adapters").path, "FALLBACK": "none",
            "UDP_ADDRESS": "127.0.0.1:\(port)", "UDP_SILENCE_SECONDS": "2", "FETCH_INTERVAL_SECONDS": "1",
        ])
        for watts in [412.5, -7] {
            let meter = try meter("\(watts)", port)
            try host.waitForConsumption("\(watts) W") { ($0["total_power_w"] as? NSNumber)?.doubleValue == watts }
            meter.kill()
        }
        try host.waitForHealth("that nothing comes") { "\($0)".contains("no datagram for 2 s") }
        let broken = try meter("watts", port)
        try host.waitForHealth("that it is no number") { "\($0)".contains("no number of watts") }
        broken.kill()
        let seconds = try #require(host.terminate())
        #expect(seconds < 5)
    }

    @Test("An adapter that was built against the recorded header is read and stored")
    func recorded() throws {
        let folder = try TemporaryDirectory("recorded")
        defer { withExtendedLifetime(folder) {} }
        _ = try RecordedAdapter.build(in: folder)
        let host = try HostProcess([
            "METER_TYPE": "recorded", "ADAPTER_PATH": folder.path, "RECORDED_WATTS": "412.5",
            "FETCH_INTERVAL_SECONDS": "1", "FALLBACK": "none",
        ])
        try host.waitForConsumption("its reading") { consumption in
            let circuits = consumption["circuits"] as? [[String: Any]] ?? []
            return (consumption["total_power_w"] as? NSNumber)?.doubleValue == 1412.5
                && circuits.first?["name"] as? String == "Circuit One"
        }
        try host.waitForHealth("five readings, all of them good") { health in
            let adapter = (health["adapters"] as? [[String: Any]])?.first
            return adapter?["attempts"] as? Int ?? 0 >= 5 && adapter?["failures"] as? Int == 0
        }
        host.terminate()
        let slots = try host.command(["outbox", "export", "--from", "0"]).output
        #expect(slots.contains("smart_meter,meter_type=recorded "), "\(slots.prefix(500))")
    }

    /// Sends the same datagram again and again, until it is killed.
    private func meter(_ datagram: String, _ port: UInt16) throws -> ChildProcess {
        try ChildProcess(
            "/bin/bash", ["-c", "while echo '\(datagram)' > /dev/udp/127.0.0.1/\(port); do sleep 0.2; done"],
            environment: ["PATH": "/usr/bin:/bin"], logs: logs, name: "meter")
    }
}
