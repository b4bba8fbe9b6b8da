import Readings
import Testing

@testable import Adapters

@Suite struct LineAllowanceTests {
    @Test func `so many lines pass, the rest is held back, counted and said once`() {
        var allowance = LineAllowance()
        let answers = (0..<150).map { allowance.take(now: Int64($0)) }
        #expect(answers.prefix(100).allSatisfy { $0 == .pass(leftOut: 0) })
        #expect(answers.dropFirst(100).allSatisfy { $0 == .holdBack })
        let later = (0..<2).map { allowance.take(now: 10 * Duration.second + $0) }
        #expect(later == [.pass(leftOut: 50), .pass(leftOut: 0)])
    }
}
