import Foundation
import Glibc
import TestSupport
import Testing

@Suite("A disk that fails, and a store that is damaged", .serialized)
struct DiskTests {
    /// Whether the store grows again: slots of now, and no hole between the newest old one and them.
    private func waitForGrowth(_ host: HostProcess, _ store: StoredSlots, within seconds: Double = 40) throws {
        let now = House.now
        try waitUntil("a slot of now; the log:\n\(host.log.suffix(2000))", within: seconds) {
            try store.newestOrNone() > now
        }
    }

    /// Seconds without a slot in which a power was measured.
    private func holes(_ store: StoredSlots, from: Int64) throws -> [Int64] {
        let ends = try store.slots().filter { $0.totalPowerW != nil && $0.end > from }.map(\.end)
        return zip(ends, ends.dropFirst()).filter { $1 - $0 > 1_000_000_000 }.map(\.0)
    }

    private func problem(_ health: [String: Any], _ words: String) -> [String: Any]? {
        (health["problems"] as? [[String: Any]] ?? []).first { "\($0["what"] ?? "")".contains(words) }
    }

    /// What /health says to do about a problem; empty where there is no such problem.
    private func todo(_ health: [String: Any], _ words: String) -> String {
        problem(health, words)?["todo"] as? String ?? ""
    }

    @Test(
        "A full disk, twice: said, held in memory, and all there once there is room again",
        .enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
    func full() throws {
        let disk = try SmallDisk(megabytes: 80)
        var settings = QuickMock.settings
        settings["DATA_DIR"] = disk.path + "/data"
        let host = try HostProcess(settings)
        let store = StoredSlots(path: disk.path + "/data")
        try waitForGrowth(host, store)
        let begin = try store.newestOrNone()
        for _ in 0..<2 {
            try disk.fill()
            // The reserve makes room for a while: somebody else takes that, too.
            try waitUntil("the store's trouble; the log:\n\(host.log.suffix(2000))", within: 60) {
                if try problem(host.health(), "the store takes nothing") != nil { return true }
                try disk.fill()
                return false
            }
            let health = try host.health()
            #expect(health["status"] as? String == "unhealthy")
            #expect(todo(health, "the store takes nothing").contains("make room on the disk"))
            #expect(try host.consumption()?["stale"] as? Bool == false, "the live view goes on")
            #expect(try HTTP.get(host.port, "/ready").status == 503)
            try disk.empty()
            try waitForGrowth(host, store)
            try host.waitForHealth("health") { problem($0, "the store takes nothing") == nil }
        }
        #expect(try holes(store, from: begin).isEmpty)
        #expect(try store.isSound())
        #expect(try host.command(["outbox", "verify"]).status == 0)
    }

    @Test(
        "A disk without inodes refuses a start in one line, and a running host does not mind",
        .enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
    func inodes() throws {
        let disk = try SmallDisk(megabytes: 80, inodes: 40)
        disk.fillInodes()
        var settings = QuickMock.settings
        settings["DATA_DIR"] = disk.path + "/data"
        let refused = try HostProcess.command(["run"], settings: settings)
        #expect(refused.status != 0)
        let complaints = refused.errors.split(separator: "\n").filter { $0.hasPrefix("smart-meter: ") }
        #expect(complaints.count == 1, "\(refused.errors)")
        #expect(refused.errors.contains("No space left on device"), "\(refused.errors)")

        try disk.emptyInodes()
        let host = try HostProcess(settings)
        let store = StoredSlots(path: disk.path + "/data")
        try waitForGrowth(host, store)
        disk.fillInodes()
        try waitForGrowth(host, store)
        #expect(try host.health()["status"] as? String == "healthy")
    }

    @Test(
        "A disk that turns read-only or fails is said, readings are held, and it goes on by itself",
        arguments: [EROFS, EIO])
    func failing(error: Int32) throws {
        let folder = try TemporaryDirectory("disk")
        let data = try TemporaryDirectory("smart-meter-data")
        let fault = DiskFault(folder)
        try fault.set(0)
        let settings = QuickMock.settings.merging(
            [
                "LD_PRELOAD": try Shim.build("disk.c", in: folder).path, "TEST_DISK": fault.file.path,
                "TEST_DISK_DIR": data.path,
            ]) { $1 }
        let host = try HostProcess(settings, dataDirectory: data)
        let store = StoredSlots(dataDirectory: data)
        try waitForGrowth(host, store)
        let begin = try store.newestOrNone()
        try fault.set(error)
        try host.waitForHealth("the store's trouble") { health in
            todo(health, "the store takes nothing").contains("check that DATA_DIR is there")
        }
        #expect(try host.health()["status"] as? String == "unhealthy")
        try fault.set(0)
        try waitForGrowth(host, store)
        try host.waitForHealth("health") { $0["status"] as? String == "healthy" }
        #expect(try holes(store, from: begin).isEmpty)
        #expect(try store.isSound())
    }

    @Test("DATA_DIR that goes away is noticed, and what was read meanwhile is stored once it is back")
    func gone() throws {
        let parent = try TemporaryDirectory("disk")
        var settings = QuickMock.settings
        settings["DATA_DIR"] = parent.path + "/data"
        let host = try HostProcess(settings)
        let store = StoredSlots(path: parent.path + "/data")
        try waitForGrowth(host, store)
        let begin = try store.newestOrNone()
        try FileManager.default.moveItem(atPath: parent.path + "/data", toPath: parent.path + "/elsewhere")
        try host.waitForHealth("that it is gone") { health in
            todo(health, "is gone").contains("bring DATA_DIR back")
        }
        // Somebody makes an empty one: that is not where the data is.
        try FileManager.default.createDirectory(atPath: parent.path + "/data", withIntermediateDirectories: false)
        try waitUntil("a second try", within: 10) { try problem(host.health(), "is gone") != nil }
        try FileManager.default.removeItem(atPath: parent.path + "/data")
        try FileManager.default.moveItem(atPath: parent.path + "/elsewhere", toPath: parent.path + "/data")
        try waitForGrowth(host, store)
        try host.waitForHealth("health") { $0["status"] as? String == "healthy" }
        #expect(try holes(store, from: begin).isEmpty)
    }

    @Test("A damaged store is set aside at the start, never deleted, and said until the next one")
    func damaged() throws {
        let host = try HostProcess(QuickMock.settings)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("slots", within: 20) { try store.newestOrNone() > 0 }
        #expect(try #require(host.terminate()) < 2)
        let file = host.dataDirectory.file("smart-meter.db")
        // The second page and those after it.
        let handle = try FileHandle(forWritingTo: file)
        try handle.seek(toOffset: 4096)
        try handle.write(contentsOf: Data(repeating: 0xA5, count: 8192))
        try handle.close()
        let damaged = try Data(contentsOf: file)
        try host.start()
        try host.waitForHealth("what was set aside") { health in
            problem(health, "the store was damaged") != nil && health["status"] as? String == "degraded"
        }
        let todo = todo(try host.health(), "the store was damaged")
        let names = try FileManager.default.contentsOfDirectory(atPath: host.dataDirectory.path)
        let aside = try #require(names.first { $0.hasPrefix("smart-meter.db.damaged-") && !$0.hasSuffix("-wal") })
        #expect(todo.contains(aside))
        #expect(try Data(contentsOf: host.dataDirectory.file(aside)) == damaged)
        try waitForGrowth(host, store)
    }

    @Test("A store that is damaged while it is open is set aside by a start of its own")
    func damagedWhileOpen() throws {
        let host = try HostProcess(QuickMock.settings)
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitForGrowth(host, store)
        let process = host.processID
        host.signal(SIGSTOP)
        // A change by somebody else makes the host read its pages anew.
        _ = try store.query("CREATE TABLE foreign_table (a); PRAGMA wal_checkpoint(TRUNCATE)")
        let file = host.dataDirectory.file("smart-meter.db")
        let size = try #require(try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int)
        let handle = try FileHandle(forWritingTo: file)
        try handle.seek(toOffset: 4096)
        try handle.write(contentsOf: Data(repeating: 0xA5, count: size - 4096))
        try handle.close()
        host.signal(SIGCONT)
        try host.waitForLog("the store is damaged: starting anew")
        try host.waitForHealth("what was set aside", within: 30) { problem($0, "the store was damaged") != nil }
        #expect(host.isRunning && host.processID == process)
        try waitForGrowth(host, store)
    }

    @Test("A store of a newer version is left alone, and the start says what to do")
    func newer() throws {
        let data = try TemporaryDirectory("smart-meter-data")
        let host = try HostProcess(QuickMock.settings, dataDirectory: data)
        try waitForGrowth(host, StoredSlots(dataDirectory: data))
        host.terminate()
        _ = try StoredSlots(dataDirectory: data).query("PRAGMA user_version = 99")
        let bytes = try Data(contentsOf: data.file("smart-meter.db"))
        let refused = try host.command(["run"])
        #expect(refused.status != 0)
        #expect(refused.errors.contains("the store was made by a newer smart-meter (store version 99"))
        #expect(refused.errors.contains("run the newer version of smart-meter again"))
        #expect(try Data(contentsOf: data.file("smart-meter.db")) == bytes)
    }
}

/// The errno that writes end with, for a host under `Tests/Shims/disk.c`.
private struct DiskFault {
    let file: URL

    init(_ folder: TemporaryDirectory) { file = folder.file("fault") }

    func set(_ error: Int32) throws {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: error >> ($0 * 8)) }
        // In place: the host has the file mapped.
        guard FileManager.default.fileExists(atPath: file.path) else { return try Data(bytes).write(to: file) }
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        try handle.write(contentsOf: Data(bytes))
    }
}
