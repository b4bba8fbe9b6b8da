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
        directory.endReading(watch: 1, obstacle: nil, now: 0)
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
        directory.endReading(watch: 1, obstacle: nil, now: start + 5 * Duration.second)
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
        directory.endReading(watch: nil, obstacle: .refused("not there"), now: now)
        let tooSoon = directory.beginReading(now: now + Duration.second / 2)
        #expect(!tooSoon.begins)
        let aSecondLater = directory.beginReading(now: now + Duration.second)
        #expect(aSecondLater.begins)
    }

    @Test func `the release's own directory is looked at again where the host could not read it, and only then`() {
        for (obstacle, wake) in [
            (ShelfObstacle.refused("there is no such directory"), nil as Int64?),
            (.waits(HostWait("too many open files", .descriptors, after: nil, wall: .now)), Duration.second),
        ] {
            var directory = ShelfDirectory("/release", isRelease: true, now: 0)
            _ = directory.beginReading(now: 0)
            directory.endReading(watch: nil, obstacle: obstacle, now: 0)
            #expect(directory.beginReading(now: 0).wake == wake)
        }
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
