import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Whatever an adapter does, nobody else notices", .serialized)
struct HostileAdapterTests {
    private static let rounds = 0..<max(1, Checkout.rounds / 5)

    @Test("In a process of its own", arguments: Misdeed.groups, rounds)
    func isolated(_ group: Misdeed.Group, _ round: Int) throws {
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

    @Test("In the host's process, where that can survive it", arguments: Misdeed.groups, rounds)
    func inHost(_ group: Misdeed.Group, _ round: Int) throws {
        let misdeeds = group.misdeeds.filter { $0.inHost != nil }
        guard !misdeeds.isEmpty else { return }
        let prefix = try InstalledPrefix()
        let house = try HostileHouse(misdeeds, folder: prefix.adapters, program: prefix.program)
        try house.drop()
        house.host.signal(SIGHUP)
        try house.waitForMisdeeds { $0.inHost ?? [] }
        #expect(ProcessFacts(house.host.processID).runners.isEmpty)
        try house.waitForThoseThatGoOn()

        try house.remove()
        house.host.signal(SIGHUP)
        try house.host.waitForLog("adapter gone")
        try house.verifyTheRest()
        // What never returned is left behind, and nobody waits for it.
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
