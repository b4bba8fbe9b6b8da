import Readings
import Testing

@testable import Analysis

@Suite struct SharesTests {
    @Test(arguments: [
        (5_829_469, 0.001619), (0, 0), (-3_600, -0.000001), (3_600_000_000, 1), (33_876_000_001, 9.41),
    ])
    func `what is shown of an energy is rounded to the millionth of a kWh`(_ energy: Int64, _ kWh: Double) {
        #expect(Shares.kWh(energy) == kWh)
    }

    @Test func `what is shown of a power is rounded to the thousandth of a watt`() {
        #expect(Shares.thousandths(2649.8999999999996) == 2649.9)
        #expect(Shares.thousandths(125.69999999999999) == 125.7)
    }
}
