import AdapterABI
import AdapterKit
import FakeHost
import Adapter
import Testing

/// The adapter, driven through the interface as the host drives it, without a host and without a device.
@Suite struct MeterTests {
    private func instance(_ host: FakeHost) throws -> InstanceUnderTest {
        try unsafe AdapterUnderTest(exportAdapters(METER_ABI_MAJOR << 16 | METER_ABI_MINOR, Meter.self)).create(host)
    }

    @Test("It says the watts of its setting")
    func reads() throws {
        let meter = try instance(FakeHost(settings: ["watts": "412.5"]))
        try meter.start()
        #expect(try meter.read().consumptionPowerW == 412.5)
        meter.stop()
    }

    @Test("A setting that is no power is refused by its name", arguments: ["", "-1", "nan", "a lot"])
    func refuses(_ watts: String) throws {
        let failure = try #require(throws: AdapterFailure.self) {
            _ = try instance(FakeHost(settings: ["watts": watts]))
        }
        #expect(failure.code == METER_MISCONFIGURED)
        #expect(failure.message.contains("MY_METER_WATTS"))
    }
}
