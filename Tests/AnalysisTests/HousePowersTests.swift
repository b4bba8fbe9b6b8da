import Readings
import Testing

@testable import Analysis

@Suite struct HousePowersTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var known: PowerSet
        var powers: Powers
        var totalIs: TotalIs
        var total: Double?
        var use: Double?
    }

    static let cases = [
        Case(
            testDescription: "consumption measured", known: [.consumption], powers: Powers(consumptionW: 500),
            totalIs: .consumption, total: 500, use: 500),
        Case(
            testDescription: "grid alone", known: [.grid], powers: Powers(gridW: 400), totalIs: .grid, total: 400,
            use: 400),
        Case(
            testDescription: "grid alone, exporting: something is behind the meter", known: [.grid],
            powers: Powers(gridW: -400), totalIs: .grid, total: -400, use: nil),
        Case(
            testDescription: "grid and solar", known: [.grid, .solar], powers: Powers(gridW: -300, solarW: 1000),
            totalIs: .consumption, total: 700, use: 700),
        Case(
            testDescription: "a charging battery", known: [.grid, .solar, .battery],
            powers: Powers(gridW: 100, solarW: 2000, batteryW: -1500), totalIs: .consumption, total: 600, use: 600),
        Case(
            testDescription: "solar missing now", known: [.grid, .solar], powers: Powers(gridW: 300),
            totalIs: .consumption, total: nil, use: nil),
        Case(
            testDescription: "consumption missing though its parts are there", known: [.consumption, .grid, .solar],
            powers: Powers(gridW: 300, solarW: 100), totalIs: .consumption, total: nil, use: nil),
        Case(
            testDescription: "solar alone", known: [.solar], powers: Powers(solarW: 900), totalIs: .grid, total: nil,
            use: nil),
        Case(
            testDescription: "nothing known", known: [], powers: Powers(gridW: nil), totalIs: .grid, total: nil,
            use: nil),
    ]

    @Test(arguments: cases) func `the total means what is known, and never changes its meaning`(_ given: Case) {
        #expect(HousePowers.totalIs(known: given.known) == given.totalIs)
        #expect(HousePowers.total(given.powers, known: given.known) == given.total)
        #expect(HousePowers.use(given.powers, known: given.known) == given.use)
    }
}
