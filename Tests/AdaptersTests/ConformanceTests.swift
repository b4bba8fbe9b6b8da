import Foundation
import Glibc
import Platform
import TestSupport
import Testing

@testable import Adapters

/// The parts of the checker that can be looked at without a child; AdapterCheckTests has the rest.
@Suite struct ConformanceTests {
    @Test("A message of the child is read as it was written, and one that is cut off is none")
    func messages() throws {
        let message = CheckMessage.result(outcome: "failed", seen: "ä", expected: "", advice: "b")
        var frames = FrameBuffer()
        let ends = try #require(Self.pair())
        #expect(Stream.write(message.encoded, to: ends.0, until: Clock.monotonic() + 1_000_000_000))
        #expect(frames.receive(from: ends.1) == .some)
        let frame = try #require(try frames.next())
        guard case .result("failed", "ä", "", "b")? = CheckMessage(frame) else {
            Issue.record("another message")
            return
        }
        #expect(CheckMessage(Frame(kind: frame.kind, payload: Array(frame.payload.dropLast(3)))) == nil)
        #expect(CheckMessage(Frame(kind: 99, payload: [])) == nil)
        close(ends.0)
        close(ends.1)
    }

    @Test("The setup of a child is read as it was written")
    func setup() throws {
        var setup = CheckSetup(library: "/a.so")
        setup.needed = ["/b.so"]
        setup.meterType = "a"
        setup.settings = ["url": "http://x", "token": ""]
        setup.checks = ["life-two", "manners-exit"]
        setup.seed = .max
        setup.wait = 5
        setup.isRelease = true
        let payload = Array(setup.encoded.dropFirst(Frame.headerSize))
        #expect(CheckSetup(Frame(kind: 1, payload: payload)) == setup)
        #expect(CheckSetup(Frame(kind: 1, payload: Array(payload.dropLast()))) == nil)
    }

    @Test("What an adapter knows is the same all the time, from when it has found its meter")
    func known() {
        for known in [[], [0, 0], [3, 3, 3], [0, 0, 1, 1]] as [[UInt64]] {
            #expect(ReadingChecks.changeOfKnown(known) == nil, "\(known)")
        }
        for known in [[1, 3], [3, 1], [0, 1, 3], [0, 1, 0]] as [[UInt64]] {
            #expect(ReadingChecks.changeOfKnown(known) != nil, "\(known)")
        }
    }

    @Test("The same seed makes the same values")
    func seeds() {
        var (one, same, other) = (SeededNumbers(seed: 7), SeededNumbers(seed: 7), SeededNumbers(seed: 8))
        let values = one.bytes(100)
        #expect(values == same.bytes(100) && values != other.bytes(100))
    }

    @Test("The names that a library exports are found, and those that it wants of others are not")
    func exports() throws {
        let folder = try TemporaryDirectory("exports")
        let library = try CAdapter.build("misbehaving.c", as: "a.so", in: folder, macros: ["EXPORTS"])
        let file = FileDescriptor(owning: unsafe open(library.path, O_RDONLY | O_CLOEXEC))
        let found = ELFExports.names(of: file)
        let names = try #require(found)
        #expect(Set(names).isSuperset(of: ["meter_adapter_entry", "helper_of_nobody"]))
        #expect(!names.contains("malloc") && !names.contains("create"))
        let text = FileDescriptor(owning: unsafe open("/etc/passwd", O_RDONLY | O_CLOEXEC))
        let none = ELFExports.names(of: text)
        #expect(none == nil)
    }

    private static func pair() -> (Int32, Int32)? {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue)
        return unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 ? (ends[0], ends[1]) : nil
    }
}
