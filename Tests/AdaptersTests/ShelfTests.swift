import Foundation
import Glibc
import Platform
import Readings
import TestSupport
import Testing

@testable import Adapters

/// When directories are looked at, and what follows from what lies in them.
@Suite(.serialized) struct ShelfTests {
    private func event(_ name: String, _ mask: UInt32 = 0x80) -> DirectoryWatch.Event {
        DirectoryWatch.Event(watch: 1, name: name, mask: mask)
    }

    /// One that was read at 0.
    private func directory() -> ShelfDirectory {
        var directory = ShelfDirectory("/x", isRelease: false, now: 0)
        let (begins, _) = directory.beginReading(now: 0)
        #expect(begins)
        directory.endReading(watch: 1, problem: nil, now: 0)
        return directory
    }

    @Test func `a directory is looked at once it has been quiet, or has not been for a second`() {
        var directory = directory()
        let idle = directory.beginReading(now: 100 * Duration.second)
        #expect(!idle.begins && idle.wake == nil)
        let start = 200 * Duration.second
        directory.take(event("a.so"), now: start)
        var wake = directory.beginReading(now: start)
        #expect(!wake.begins && wake.wake == start + 200 * Duration.millisecond)
        // Something happens all the time.
        for tenth in 1...9 { directory.take(event("a.so"), now: start + Int64(tenth) * 100 * Duration.millisecond) }
        wake = directory.beginReading(now: start + 950 * Duration.millisecond)
        #expect(!wake.begins && wake.wake == start + Duration.second)
        let afterASecond = directory.beginReading(now: start + Duration.second)
        #expect(afterASecond.begins)
        // While it is being read it is not read again.
        directory.take(event("b.so"), now: start + Duration.second)
        let whileItIsRead = directory.beginReading(now: start + 5 * Duration.second)
        #expect(!whileItIsRead.begins)
        directory.endReading(watch: 1, problem: nil, now: start + 5 * Duration.second)
        let afterwards = directory.beginReading(now: start + 5 * Duration.second)
        #expect(afterwards.begins)
    }

    @Test func `a file is unfinished from its first write to its close, until events are lost`() {
        var directory = directory()
        directory.take(event("a.so", 0x2), now: 1)
        directory.take(event("b.so", 0x2), now: 1)
        #expect(directory.unfinished == ["a.so", "b.so"])
        directory.take(event("a.so", 0x8), now: 2)
        #expect(directory.unfinished == ["b.so"])
        directory.take(event("", 0x4000), now: 3)
        #expect(directory.unfinished.isEmpty)
    }

    @Test func `one that cannot be watched is looked at every second`() {
        var directory = directory()
        directory.take(event("", 0x8000), now: 0)
        #expect(directory.watch == nil)
        let now = 10 * Duration.second
        let atOnce = directory.beginReading(now: now)
        #expect(atOnce.begins)
        directory.endReading(watch: nil, problem: "not there", now: now)
        let tooSoon = directory.beginReading(now: now + Duration.second / 2)
        #expect(!tooSoon.begins)
        let aSecondLater = directory.beginReading(now: now + Duration.second)
        #expect(aSecondLater.begins)
    }

    @Test func `what was refused is tried again after a rescan, and when the directory itself has changed`() throws {
        let folder = try TemporaryDirectory("files")
        let identity = try #require(FileIdentity(at: try folder.write("a.so", "x").path))
        var files = ShelfFiles()
        _ = files.take([("a.so", identity)], of: 1, except: [], retries: false)
        let job = try #require(files.takeJobs(now: 0).first)
        #expect(!files.isSettled)
        let isRefused = files.take(.failure(LibraryObjection(reason: "no")), of: job.key, job.attempt)
        #expect(isRefused)
        #expect(files.isSettled)
        _ = files.take([("a.so", identity)], of: 1, except: [], retries: false)
        let unchanged = files.takeJobs(now: 0)
        #expect(unchanged.isEmpty)
        _ = files.take([("a.so", identity)], of: 1, except: [], retries: true)
        let again = files.takeJobs(now: 0)
        #expect(again.count == 1)
    }

    @Test func `a load that does not end is given up, and what it says later does not count`() throws {
        let folder = try TemporaryDirectory("files")
        let identity = try #require(FileIdentity(at: try folder.write("a.so", "x").path))
        var files = ShelfFiles()
        // Four at a time: each may hang.
        _ = files.take((0..<6).map { ("\($0).so", identity) }, of: 0, except: [], retries: false)
        let jobs = files.takeJobs(now: 0)
        #expect(jobs.map(\.key.name) == ["0.so", "1.so", "2.so", "3.so"])
        let isEarly = files.giveUp(now: 19 * Duration.second)
        #expect(!isEarly)
        #expect(files.nextGivingUp == 20 * Duration.second)
        let hasGivenUp = files.giveUp(now: 20 * Duration.second)
        #expect(hasGivenUp)
        let next = files.takeJobs(now: 20 * Duration.second)
        #expect(next.map(\.key.name) == ["4.so", "5.so"])
        #expect(files.inOrder.first?.refusal?.contains("does not end") == true)
        let late = files.take(
            .success(ShelfFile.Load(identity: identity, adapters: [])), of: jobs[0].key, jobs[0].attempt)
        #expect(!late)
    }

    @Test func `events that the kernel could not keep are said to be lost`() throws {
        let folder = try TemporaryDirectory("watched")
        let watch = try DirectoryWatch()
        let number = try #require(watch.watch(folder.path))
        try folder.write("a.so", "x")
        let first = watch.events()
        #expect(first.contains { $0.name == "a.so" && $0.watch == number && $0.isWritten })
        #expect(!first.contains { $0.isOverflow })
        let most = Int(try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8).dropLast())
        for index in 0...((most ?? 16_384) / 4) {
            // Three events each, and those of the same file in a row are one.
            let file = folder.file("\(index)").path
            #expect(FileManager.default.createFile(atPath: file, contents: Data([1])))
            #expect(unsafe unlink(file) == 0)
        }
        #expect(watch.events().contains { $0.isOverflow })
    }
}
