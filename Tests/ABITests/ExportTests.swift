import Foundation
import TestSupport
import Testing

/// What the built adapters show to the dynamic linker.
@Suite struct ExportTests {
    @Test(
        "An adapter exports its entry point and nothing else",
        arguments: [
            "libsmartmeter-mock.so", "libsmartmeter-homeassistant.so", "libsmartmeter-iotawatt.so",
            "libsmartmeter-httpjson.so",
        ])
    func exports(_ library: String) throws {
        let folder = try TemporaryDirectory("nm")
        let path = Checkout.products.appendingPathComponent(library).path
        let run = try ChildProcess(
            "/usr/bin/nm", ["-D", "--defined-only", "--extern-only", "--format=just-symbols", path],
            environment: ["PATH": "/usr/bin:/bin"], logs: folder, name: "nm")
        #expect(try run.waitForEnd(within: 30) == 0, "\(run.errors)")
        #expect(run.output.split(separator: "\n") == ["meter_adapter_entry"])
    }
}
