import AdapterKit
import Testing

@testable import EmporiaAdapter

/// What the figures tell of a house that no list of devices does.
@Suite struct HouseTests {
    private func json(_ text: String) -> JSON? { JSON.parse(Array(text.utf8)) }

    private func house() throws -> House {
        let tree = json(
            #"{"devices":[{"deviceGid":1,"model":"VUE002","channels":[{"channelNum":"1,2,3","type":"Main"}],"#
                + #""devices":[{"channels":[{"channelNum":"2","name":"Roof","channelTypeGid":13}]}]}]}"#)
        return try House(try #require(tree.flatMap(DeviceTree.init)), names: [], before: nil)
    }

    private func usage(_ mains: Double, _ roof: Double) throws -> UsageAnswer {
        let answer = json(
            #"{"deviceListUsages":{"devices":[{"deviceGid":1,"channelUsages":[{"channelNum":"1,2,3","usage":"#
                + #"\#(mains)},{"channelNum":"2","usage":\#(roof)}]}]}}"#)
        return try #require(answer.flatMap(UsageAnswer.init))
    }

    /// Watts of the roof in a minute with this figure.
    private func solar(_ house: House, _ kWh: Double) throws -> Double? {
        let usage = try usage(0, kWh)
        return house.reading(of: usage, nodes: house.nodes(of: usage), end: 60_000_000_000).solarPowerW.map {
            $0.rounded()
        }
    }

    @Test(arguments: [1.0, -1.0])
    func `which way a roof counts is seen once it produces, and not turned round by what it draws`(sign: Double) throws
    {
        var house = try house()
        #expect(try solar(house, sign * 0.001) == 60)
        for kWh in [0.001, -0.05, 0.004] {
            let usage = try usage(0.01, sign * kWh)
            house.learn(from: usage, nodes: house.nodes(of: usage), hours: 1.0 / 60)
        }
        #expect(try solar(house, sign * -0.05) == 3000)
        #expect(try solar(house, sign * 0.004) == -240)
    }

    @Test func `a day tells better than a minute, and what was learned outlives a new list of devices`() throws {
        var house = try house()
        let minute = try usage(0.01, 0.004)
        house.learn(from: minute, nodes: house.nodes(of: minute), hours: 1.0 / 60)
        let day = try usage(3, -12)
        house.learn(from: day, nodes: house.nodes(of: day), hours: 24)
        #expect(try solar(house, -0.05) == 3000)
        #expect(house.dayEnergy(of: day, nodes: house.nodes(of: day)) == 15)
    }

    @Test func `a name is one line of what may be handed over`() {
        #expect("a\nb\u{7F}c".shortened == "abc")
        #expect(String(repeating: "\u{1F600}", count: 500).shortened.utf8.count == 240)
        #expect(("e" + String(repeating: "\u{301}", count: 5000)).shortened.utf8.count < 255)
    }
}
