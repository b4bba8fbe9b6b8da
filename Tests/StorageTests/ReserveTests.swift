import Foundation
import Readings
import TestSupport
import Testing

@testable import Storage

@Suite struct ReserveTests {
    private let megabyte: Int64 = 1 << 20

    @Test func `the reserve takes its space, gives it back, and takes it again`() throws {
        try withDirectory { directory in
            let reserve = Reserve(in: directory, bytes: megabyte)
            #expect(!reserve.isThere)
            #expect(reserve.make())
            try expectSpace(of: directory)
            #expect(reserve.make(), "what is there stays")
            #expect(reserve.giveUp())
            #expect(!FileManager.default.fileExists(atPath: directory.path(of: Reserve.fileName)))
            #expect(!reserve.giveUp(), "nothing is there to give")
            #expect(reserve.make())
        }
    }

    @Test func `a reserve that was only half made is made anew`() throws {
        try withDirectory { directory in
            try Data(count: 1000).write(to: URL(fileURLWithPath: directory.path(of: Reserve.fileName)))
            let reserve = Reserve(in: directory, bytes: megabyte)
            #expect(!reserve.isThere)
            #expect(reserve.make())
            try expectSpace(of: directory)
        }
    }

    @Test func `a reserve is not made where the disk has no room for twice as much`() throws {
        try withDirectory { directory in
            let reserve = Reserve(in: directory, bytes: .max / 4)
            #expect(!reserve.make())
            #expect(!FileManager.default.fileExists(atPath: directory.path(of: Reserve.fileName)))
        }
    }

    @Test(.enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
    func `on a full disk the reserve makes room for commits, and for opening`() throws {
        let disk = try SmallDisk(megabytes: 100)
        let directory = try DataDirectory(locking: disk.path + "/data")
        var random = SystemRandomNumberGenerator()
        do {
            let (store, _) = try Store.open(in: directory)
            #expect(store.reserve.isThere)
            try disk.fill()

            var committed = 0
            var failure: StorageError?
            while failure == nil, committed < 200 {
                do throws(StorageError) {
                    try store.commit(plan(committed, &random))
                    committed += 1
                } catch {
                    failure = error
                }
            }
            #expect(failure?.mayLackRoom == true)
            #expect(store.reserve.giveUp())
            try store.commit(plan(committed, &random))
            #expect(try store.state(of: 1).count == committed + 1)
            #expect(!store.reserve.make(), "the disk is still almost full")
        }

        // The host ends, and the rest of the disk is filled by somebody else: the next start finds no room at all.
        try disk.fill()
        do {
            let error = #expect(throws: StorageError.self) { _ = try Store.open(in: directory) }
            #expect(error?.mayLackRoom == true)
        }
        try disk.empty()
        do {
            let (store, _) = try Store.open(in: directory)
            #expect(store.reserve.isThere)
        }
        try disk.fill()
        let (store, aside) = try Store.open(in: directory)
        #expect(aside == nil)
        #expect(!store.reserve.isThere)
        try store.commit(plan(1000, &random))
    }

    // MARK: Helpers

    /// Half a megabyte that does not compress.
    private func plan(_ index: Int, _ random: inout SystemRandomNumberGenerator) -> CommitPlan {
        var plan = CommitPlan()
        let value = (0..<524_288).map { _ in UInt8.random(in: 0...255, using: &random) }
        plan.states = [StateRecord(instance: 1, key: "\(index)", value: value)]
        return plan
    }

    /// The reserve is no hole in a file: its blocks are taken.
    private func expectSpace(of directory: DataDirectory) throws {
        var status = stat()
        try #require(unsafe stat(directory.path(of: Reserve.fileName), &status) == 0)
        #expect(Int64(status.st_blocks) * 512 >= megabyte)
    }

    private func withDirectory(_ body: (DataDirectory) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "smart-meter-reserve-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(try DataDirectory(locking: path))
    }
}
