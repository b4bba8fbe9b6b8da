import Readings
import Testing

@testable import Adapters

@Suite struct RunnerBudgetTests {
    @Test func `what is used up comes back with time, and no more than it was`() {
        var budget = RunnerBudget(atOnce: 1000, perSecond: 100, now: 0)
        #expect(budget.wait(now: 0) == nil)
        budget.spend(1000)
        let until = budget.wait(now: 0)
        // A hundredth of it, and one.
        #expect(until == 110 * Duration.millisecond)
        #expect(budget.wait(now: 100 * Duration.millisecond) != nil)
        #expect(budget.wait(now: until ?? 0) == nil)
        budget.spend(11)
        #expect(budget.wait(now: 3600 * Duration.second) == nil)
        budget.spend(1001)
        #expect(budget.wait(now: 3600 * Duration.second) != nil)
    }

    @Test func `many looks in a short time lose nothing`() {
        var budget = RunnerBudget(atOnce: 100, perSecond: 10, now: 0)
        budget.spend(100)
        for step in 1...2000 { _ = budget.wait(now: Int64(step) * Duration.millisecond) }
        budget.spend(18)
        #expect(budget.wait(now: 2 * Duration.second) == nil)
        budget.spend(3)
        #expect(budget.wait(now: 2 * Duration.second) != nil)
    }

    @Test func `debts are paid off before anything goes on`() {
        var budget = RunnerBudget(atOnce: 100, perSecond: 10, now: 0)
        budget.spend(200)
        #expect(budget.wait(now: 9 * Duration.second) != nil)
        #expect(budget.wait(now: 11 * Duration.second) == nil)
    }
}

@Suite struct RestartsTests {
    @Test func `the pause doubles from a second to five minutes`() {
        var restarts = Restarts()
        let pauses = (0..<12).map { _ in restarts.pause(afterLife: Duration.second, random: 0) / Duration.second }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
        #expect(restarts.count == 12)
        #expect(restarts.words("SIGSEGV in read()") == "crashed 12 times, last: SIGSEGV in read()")
    }

    @Test(arguments: [0, 0.3, 1]) func `jitter only shortens it`(random: Double) {
        var restarts = Restarts()
        for expected in [1, 2, 4] as [Int64] {
            let pause = restarts.pause(afterLife: 0, random: random)
            #expect(pause <= expected * Duration.second)
            #expect(pause >= expected * Duration.second * 3 / 4)
        }
    }

    @Test func `a process that has lived for ten minutes begins anew`() {
        var restarts = Restarts()
        for _ in 0..<5 { _ = restarts.pause(afterLife: 0, random: 0) }
        #expect(restarts.pause(afterLife: 10 * Duration.minute, random: 0) == Duration.second)
        #expect(restarts.pause(afterLife: 0, random: 0) == 2 * Duration.second)
        #expect(restarts.count == 7)
    }
}

@Suite struct OutputLinesTests {
    private func lines(_ pieces: [String]) -> (lines: [String], rest: [String], crash: String?) {
        var output = OutputLines()
        let whole = pieces.flatMap { piece in
            unsafe Array(piece.utf8).withUnsafeBytes { unsafe output.take($0) }
        }
        return (whole, output.finish(), output.crash)
    }

    @Test func `lines are whole, however they come`() {
        let found = lines(["one\ntw", "", "o\n\n", "three"])
        #expect(found.lines == ["one", "two"])
        #expect(found.rest == ["three"])
    }

    @Test func `a line without an end is cut, and takes no memory`() {
        let found = lines([String](repeating: String(repeating: "x", count: 10_000), count: 100) + ["\nnext\n"])
        #expect(found.lines.map(\.count) == [1000, 4])
    }

    @Test func `the report of a crash is no line of the adapter's`() {
        let found = lines(["hello\nadapter-runner: caught SIGSEGV at f, offset 0x12\n"])
        #expect(found.lines == ["hello"])
        #expect(found.crash == "SIGSEGV at f, offset 0x12")
        // One that was cut off by its death counts as well.
        #expect(lines(["adapter-runner: caught SIGBUS"]).crash == "SIGBUS")
    }
}

@Suite struct RunnerEndTests {
    private static let cases: [(RunnerEnd, String)] = [
        (.init(waitStatus: 11, report: nil), "SIGSEGV in read()"),
        (.init(waitStatus: 139, report: "SIGSEGV at f, offset 0x12"), "SIGSEGV in read() at f, offset 0x12"),
        (
            .init(waitStatus: 6, report: "SIGABRT for want of memory at offset 0x1"),
            "SIGABRT in read() at offset 0x1, after memory was refused: it has 512 MB at most"
        ),
        (.init(waitStatus: 14, report: "SIGSEGV"), "SIGSEGV in read()"),
        (.init(waitStatus: 0, report: nil), "exit with status 0 in read()"),
        (.init(waitStatus: 0x300, report: nil), "exit with status 3 in read()"),
        (.deadline(within: "10 s"), "read() did not return within 10 s"),
        (.violation("a frame of 5 bytes"), "it broke the runner's protocol in read(): a frame of 5 bytes"),
    ]

    /// What each says about the host: before anything foreign has run, and after.
    private static let shortages: [(RunnerEnd, before: HostShortage?, after: HostShortage?)] = [
        (.init(waitStatus: 9, report: nil), .memory, .memory),
        (.init(waitStatus: 11, report: "SIGSEGV at f"), .other, nil),
        (.init(waitStatus: 0x100, report: nil), .other, nil),
        (.deadline(within: "10 s"), .speed, .time),
        (.violation("a message out of turn"), .other, nil),
        (.notStarted(call: "posix_spawn", code: 11), .processes, .processes),
        (.notStarted(call: "pipe2", code: 24), .descriptors, .descriptors),
        (.notStarted(call: "posix_spawn", code: 12), .memory, .memory),
        (.notStarted(call: "posix_spawn", code: 2), .other, .other),
    ]

    @Test func `an end says whether the host was short of something`() {
        for (end, before, after) in Self.shortages {
            #expect(end.shortage(isPrepared: false) == before)
            #expect(end.shortage(isPrepared: true) == after)
        }
    }

    @Test func `an end is said in words`() {
        for (end, words) in Self.cases { #expect(end.words(in: "read()") == words) }
        #expect(RunnerEnd(waitStatus: 11, report: nil).words(in: nil) == "SIGSEGV between calls")
        #expect(RunnerEnd.signal(64, report: nil).words(in: nil) == "signal 64 between calls")
    }
}
