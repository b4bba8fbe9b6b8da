import Foundation
import Readings
import TestSupport
import Testing

@testable import Adapters

/// Which files are looked at when, and what is said of each meanwhile. Time is passed in.
@Suite struct ShelfFilesTests {
    private static let second = Duration.second
    private let folder: TemporaryDirectory
    /// Of a file, and of the one that replaces it.
    private let identity: FileIdentity
    private let other: FileIdentity
    private var files = ShelfFiles()

    init() throws {
        folder = try TemporaryDirectory("files")
        identity = try #require(FileIdentity(at: try folder.write("a.so", "x").path))
        other = try #require(FileIdentity(at: try folder.write("b.so", "another").path))
    }

    private mutating func see(_ names: [String], _ identity: FileIdentity? = nil, retries: Bool = false) {
        _ = files.take(names.map { ($0, identity ?? self.identity) }, of: 1, except: [], retries: retries)
    }

    private typealias Job = (key: ShelfFile.Key, attempt: ShelfFile.Attempt)

    /// The one job that there is at `seconds`.
    private mutating func job(at seconds: Double) throws -> Job {
        let jobs = files.takeJobs(now: Int64(seconds * 1e9))
        #expect(jobs.count == 1)
        return try #require(jobs.first)
    }

    private mutating func isAtRest(at seconds: Double) -> Bool {
        files.takeJobs(now: Int64(seconds * 1e9)).isEmpty
    }

    /// True where people see something else afterwards.
    @discardableResult
    private mutating func end(
        _ job: Job, _ shortage: HostShortage?, at seconds: Double, reason: String = "no", random: Double = 0
    ) -> Bool {
        files.take(
            .failure(LibraryObjection(reason: reason, shortage: shortage)), of: job.key, job.attempt,
            now: Int64(seconds * 1e9), wall: Instant(seconds: Int64(seconds)), random: random)
    }

    private mutating func find(_ job: Job) -> Bool {
        files.take(
            .success(ShelfFile.Load(identity: job.attempt.identity, adapters: [])), of: job.key, job.attempt, now: 0,
            wall: .now, random: 0)
    }

    private var obstacle: ShelfObstacle? { files.inOrder.first?.obstacle }

    private var refusal: String? {
        if case .refused(let reason)? = obstacle { reason } else { nil }
    }

    @Test mutating func `what is refused is tried again when it changes, and after a rescan`() throws {
        see(["a.so"])
        #expect(!files.isSettled)
        let isNews = end(try job(at: 0), nil, at: 0)
        #expect(isNews && files.isSettled && refusal == "no")
        see(["a.so"])
        let isAtRest = isAtRest(at: 1e6)
        #expect(isAtRest && files.wake == nil)
        see(["a.so"], retries: true)
        end(try job(at: 1e6), nil, at: 1e6)
        see(["a.so"], other)
        _ = try job(at: 1e6)
    }

    @Test mutating func `what the host could not look at is tried again by itself, after growing pauses`() throws {
        see(["a.so"])
        var now = 100.0
        var news = 0
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
            if end(try job(at: now), .processes, at: now) { news += 1 }
            #expect(refusal == nil)
            #expect(obstacle?.wait?.since == Instant(seconds: 100))
            #expect(files.wake == Int64((now + Double(pause)) * 1e9))
            let isAtRest = isAtRest(at: now + Double(pause) - 0.001)
            #expect(isAtRest)
            now += Double(pause)
        }
        // People are told of it once.
        #expect(news == 1)
        let isFound = find(try job(at: now))
        #expect(isFound && obstacle == nil && files.wake == nil)
    }

    @Test mutating func `a few tries are waited for, then others go on without the file`() throws {
        see(["a.so"])
        for now in [0.0, 1, 3] {
            #expect(!files.isSettled)
            end(try job(at: now), .memory, at: now)
        }
        #expect(files.isSettled)
    }

    @Test mutating func `a machine that is busy is waited for, however long, and nobody waits for it`() throws {
        see(["a.so"])
        var now = 0.0
        for _ in 0..<20 {
            end(try job(at: now), .speed, at: now)
            #expect(files.isSettled && obstacle?.wait != nil)
            now += 300
        }
    }

    @Test mutating func `many that wait are spread`() throws {
        see((0..<4).map { "\($0).so" })
        for (index, job) in files.takeJobs(now: 0).enumerated() {
            end(job, .memory, at: 0, random: Double(index) / 4)
        }
        for number in 0..<4 {
            let pause = 1 - 0.25 * Double(3 - number) / 4
            #expect(files.wake == Int64(pause * 1e9))
            let next = try job(at: pause)
            #expect(next.key.name == "\(3 - number).so")
            // Only the first time its words are logged.
            #expect(next.attempt.isRepeated)
            _ = find(next)
        }
    }

    @Test mutating func `another reason is said, and a lasting one ends the wait`() throws {
        see(["a.so"])
        end(try job(at: 0), .memory, at: 0)
        let isNews = end(try job(at: 1), .descriptors, at: 1, reason: "other")
        #expect(isNews && obstacle?.wait?.since == Instant(seconds: 0))
        end(try job(at: 3), nil, at: 3)
        let isAtRest = isAtRest(at: 1e6)
        #expect(refusal == "no" && isAtRest)
    }

    @Test mutating func `a library that does not come to an end gets more time, then it is refused`() throws {
        see(["a.so"])
        for (now, patience) in [(0.0, 10), (1, 30), (3, 90)] {
            #expect(refusal == nil)
            let job = try job(at: now)
            #expect(job.attempt.patience == Int64(patience) * Self.second)
            end(job, .time, at: now)
            // Nobody waits for hours until it is clear.
            #expect(files.isSettled)
        }
        let isAtRest = isAtRest(at: 1e6)
        #expect(refusal == "no" && isAtRest)
        // Another file begins anew.
        see(["a.so"], other)
        #expect(try job(at: 1e6).attempt.patience == 10 * Self.second)
    }

    @Test mutating func `what hangs holds up nobody else, and what it says in the end counts`() throws {
        see((0..<6).map { "\($0).so" })
        let jobs = files.takeJobs(now: 0)
        #expect(jobs.map(\.key.name) == ["0.so", "1.so", "2.so", "3.so"])
        #expect(files.wake == 30 * Self.second)
        let isEarly = files.giveUp(now: 29 * Self.second, wall: .now)
        #expect(!isEarly)
        let isNews = files.giveUp(now: 30 * Self.second, wall: .now)
        #expect(isNews && obstacle?.wait?.shortage == .time)
        #expect(obstacle?.wait?.reason == "reading and loading it has not come to an end within 30 s")
        let next = files.takeJobs(now: 30 * Self.second)
        #expect(next.map(\.key.name) == ["4.so", "5.so"])
        for job in next { _ = find(job) }
        // No second thread for a file that has one, whoever asks.
        see((0..<6).map { "\($0).so" }, retries: true)
        let isAtRest = isAtRest(at: 200)
        #expect(isAtRest)
        let isOver = files.giveUp(now: 300 * Self.second, wall: .now)
        #expect(isOver && refusal?.hasPrefix("loading it does not end") == true && files.wake == nil)
        let isFound = find(jobs[0])
        #expect(isFound && obstacle == nil)
    }

    @Test mutating func `what a look at a file says that was replaced meanwhile does not count`() throws {
        see(["a.so"])
        let old = try job(at: 0)
        _ = files.giveUp(now: 30 * Self.second, wall: .now)
        see(["a.so"], other)
        let new = try job(at: 31)
        #expect(new.attempt.identity == other)
        let isLate = find(old)
        #expect(!isLate)
        let isFound = find(new)
        #expect(isFound)
    }
}
