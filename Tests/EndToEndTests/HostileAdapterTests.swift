import Foundation
import TestSupport
import Testing

@Suite("Whatever an adapter does, nobody else notices", .serialized)
struct HostileAdapterTests {
    @Test("In a process of its own", arguments: Misdeed.groups)
    func isolated(_ group: Misdeed.Group) throws {
        let house = try HostileHouse(group.misdeeds, folder: TemporaryDirectory("dropped"))
        try house.drop()
        try house.waitForMisdeeds(\.words)
        try house.waitForThoseThatGoOn()
        for index in house.misdeeds.indices { try house.checkSecrets(index) }

        try house.remove()
        try house.host.waitForLog("adapter gone")
        if let index = house.misdeeds.firstIndex(where: { $0.name == "crash in destroy" }) {
            try waitUntil("the crash in destroy; the log:\n\(house.host.log.suffix(3000))") {
                house.lines(index, in: house.host.log).contains { $0.contains("SIGSEGV in destroy() at offset 0x") }
            }
        }
        try house.waitForEverythingToBeBack()
        try house.verifyTheRest()
        #expect(try #require(house.host.terminate()) < 2)
        #expect(house.host.exitCode == 0)
    }
}

extension HostileHouse {
    /// Where the kernel has Landlock, nothing was stolen.
    fileprivate func checkSecrets(_ index: Int) throws {
        guard misdeeds[index].name == "steal" else { return }
        let lines = lines(index, in: host.log)
        #expect(!lines.contains { $0.contains("stole") })
        for path in Self.prey(data: host.dataDirectory, folder: folder) {
            #expect(lines.contains { $0.contains("did not get \(path) (") }, "\(path)")
        }
        #expect(host.log.contains("confined by Landlock"), "this kernel has none: that is all that can be tested")
    }
}
