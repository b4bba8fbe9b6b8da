import Foundation
import Observability
import TestSupport
import Testing

@Suite struct DecimalTextTests {
    @Test(arguments: 1...5) func `a number reads back as it was`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<2000 {
            let magnitude = Double.random(in: -6...14, using: &random)
            var value = Double.random(in: -1...1, using: &random) * pow(10, magnitude)
            if Bool.random(using: &random) { value = (value * 1000).rounded() / 1000 }
            var bytes: [UInt8] = []
            DecimalText.append(value, to: &bytes)
            #expect(Double(String(decoding: bytes, as: UTF8.self)) == value, "seed \(seed)")
        }
        for value in [0, -0.0, 0.1, -0.000001, 1e15, 999_999_999.999999, 1e300, Double.leastNormalMagnitude] {
            var bytes: [UInt8] = []
            DecimalText.append(value, to: &bytes)
            #expect(Double(String(decoding: bytes, as: UTF8.self)) == value)
        }
    }
}
