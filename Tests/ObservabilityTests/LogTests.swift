import Foundation
import Observability
import Platform
import Synchronization
import Testing

/// A log whose lines come back.
private struct Capture {
    let pipe = Pipe()
    let log: Log

    init(format: LogFormat = .text) throws {
        log = try Log(
            level: .info, format: format, descriptor: pipe.fileHandleForWriting.fileDescriptor, clock: { 0 })
    }

    /// Ends the log's output and gives all of it.
    func output() throws -> String {
        try pipe.fileHandleForWriting.close()
        return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }
}

private final class Received: Sendable {
    let data = Mutex(Data())
}

@Suite(.serialized) struct LogTests {
    @Test func `a line is the event, then key=value`() throws {
        let capture = try Capture()
        capture.log.info("Power: 12W", LogField("meter", "mock"), LogField("why", "two words"))
        capture.log.debug("not wanted")
        #expect(
            try capture.output() == "1970-01-01T00:00:00.000Z INFO Power: 12W meter=mock why=\"two words\"\n")
    }

    @Test func `a line of JSON has the fields as members`() throws {
        let capture = try Capture(format: .json)
        capture.log.warning("odd", LogField("name", "a\"b\n"))
        let line = try capture.output()
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object == ["time": "1970-01-01T00:00:00.000Z", "level": "warning", "event": "odd", "name": "a\"b\n"])
    }

    @Test(arguments: [
        "p@ss/w\"rd n", "p%40ss%2Fw%22rd%20n", "p%40ss%2fw%22rd%20n", "p@ss/w\\\"rd n", "http://u:p%40ss@host/x",
        "http://someone:else@host/",
    ])
    func `a secret is masked however it is written`(_ written: String) throws {
        for format in [LogFormat.text, .json] {
            let capture = try Capture(format: format)
            capture.log.register(secrets: ["p@ss/w\"rd n", "abc"])
            capture.log.error("failed \(written) abc", LogField("url", "x\(written)y"))
            let line = try capture.output()
            #expect(line.contains("***") && line.contains("abc"))
            #expect(!line.contains("ss/w") && !line.contains("40ss") && !line.contains("else"))
        }
    }

    @Test func `a code is masked for as long as somebody needs it masked`() throws {
        let capture = try Capture()
        capture.log.register(secrets: ["924613", "password"])
        capture.log.register(secrets: ["password"])
        capture.log.forget(secrets: ["924613", "password", "unknown"])
        capture.log.error("924613 password")
        #expect(try capture.output().contains("924613 ***"))
    }

    @Test func `nothing in an event begins a second line`() throws {
        let capture = try Capture()
        capture.log.error("a\nb\r\u{1b}[31m", LogField("k", "v\n2026 ERROR forged"))
        let line = try capture.output()
        #expect(line.utf8.filter { $0 == 10 }.count == 1)
        #expect(line.utf8.allSatisfy { $0 >= 32 || $0 == 10 })
    }

    @Test(arguments: [LogFormat.text, .json]) func `a line that is too long is cut`(_ format: LogFormat) throws {
        let capture = try Capture(format: format)
        capture.log.error(String(repeating: "é", count: 20_000), LogField("k", String(repeating: "x", count: 20_000)))
        let line = try capture.output()
        #expect(line.utf8.count <= 9000 && line.hasSuffix("\n"))
        if format == .json { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
    }

    @Test func `a reader that does not read holds nobody up, and learns what it missed`() throws {
        let capture = try Capture()
        try capture.log.start()
        let filler = String(repeating: "x", count: 1000)
        let began = Clock.monotonic()
        for _ in 0..<1000 { capture.log.info(filler) }
        #expect(Clock.monotonic() - began < 5_000_000_000)
        #expect(!capture.log.flush(until: Clock.monotonic() + 20_000_000))
        let reader = capture.pipe.fileHandleForReading
        let read = Received()
        let thread = try Platform.Thread(name: "reader") {
            while let data = try? reader.read(upToCount: 65536), !data.isEmpty { read.data.withLock { $0 += data } }
        }
        #expect(capture.log.flush(until: Clock.monotonic() + 10_000_000_000))
        #expect(capture.log.stop(until: Clock.monotonic() + 10_000_000_000))
        try capture.pipe.fileHandleForWriting.close()
        #expect(thread.join(until: Clock.monotonic() + 10_000_000_000))
        let lines = read.data.withLock { String(decoding: $0, as: UTF8.self) }.split(separator: "\n")
        let notices = lines.filter { $0.contains("log lines dropped") }
        let dropped = notices.compactMap { $0.split(separator: " ").dropFirst(2).first.flatMap { Int($0) } }.reduce(
            0, +)
        #expect(dropped > 0 && lines.count - notices.count + dropped == 1000)
    }

    @Test func `everything logged before the stop is written, in order`() throws {
        let capture = try Capture()
        try capture.log.start()
        for number in 0..<200 { capture.log.info("event \(number)") }
        #expect(capture.log.stop(until: Clock.monotonic() + 10_000_000_000))
        capture.log.info("event 200")
        let events = try capture.output().split(separator: "\n").map { $0.split(separator: " ").last }
        #expect(events == (0...200).map { Substring("\($0)") })
    }

    @Test func `what repeats passes once an interval and is counted`() {
        let gate = RepeatGate(interval: 100)
        #expect(gate.pass("a", now: 0) == 0)
        #expect(gate.pass("a", now: 50) == nil)
        #expect(gate.pass("a", now: 99) == nil)
        #expect(gate.pass("b", now: 99) == 0)
        #expect(gate.pass("a", now: 100) == 2)
        #expect(gate.pass("a", now: 200) == 0)
    }
}
