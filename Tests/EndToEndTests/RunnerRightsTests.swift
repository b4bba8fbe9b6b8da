import Foundation
import TestSupport
import Testing

@Suite("What a process that runs an adapter has, and what it has not", .serialized)
struct RunnerRightsTests {
    private let dropped: TemporaryDirectory
    private let host: HostProcess
    private let runner: Int32

    init() throws {
        dropped = try TemporaryDirectory("dropped")
        try CAdapter.build(as: "constant.so", in: dropped)
        let host = try HostProcess(
            QuickMock.settings.merging([
                "METER_TYPE": "mock,constant", "ADAPTER_PATH": dropped.path, "INFLUXDB_TOKEN": "a-secret-token",
                "https_proxy": "http://user:a-secret-password@proxy:3128", "no_proxy": "localhost",
                "SSL_CERT_DIR": "/etc/ssl/certs",
            ]) { $1 })
        self.host = host
        try host.waitForHealth("its readings") { health in
            (health["adapters"] as? [[String: Any]] ?? []).contains {
                $0["instance"] as? String == "constant" && $0["last_success"] is String
            }
        }
        runner = try #require(ProcessFacts(host.processID).runner(of: "constant"))
    }

    private func read(_ file: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "/proc/\(runner)/\(file)")), as: UTF8.self)
    }

    /// A row of /proc/PID/status or /proc/PID/limits, as words.
    private func row(_ name: String, of file: String) throws -> [String] {
        let line = try read(file).split(separator: "\n").first { $0.hasPrefix(name) }
        return line.map { $0.dropFirst(name.count).split { $0 == ":" || $0.isWhitespace }.map(String.init) } ?? []
    }

    @Test("Its environment has the clock's zone, certificates and proxies without passwords, and nothing else")
    func environment() throws {
        let names = try read("environ").split(separator: "\0").map { String($0.prefix { $0 != "=" }) }
        #expect(Set(names) == ["SWIFT_BACKTRACE", "TZ", "SSL_CERT_DIR", "no_proxy"])
    }

    @Test("It has the lines to its host, its output, and no other descriptor of the host's")
    func descriptors() throws {
        let folder = "/proc/\(runner)/fd"
        let targets = try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [Int: String]()) {
            $0[Int($1) ?? -1] = try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($1)")
        }
        #expect(targets[0] == "/dev/null")
        #expect(targets[1]?.hasPrefix("pipe:") == true && targets[1] == targets[2])
        #expect(targets[40]?.hasPrefix("socket:") == true && targets[41]?.hasPrefix("socket:") == true)
        // What is left are doorbells of its own.
        let others = targets.filter { ![0, 1, 2, 40, 41].contains($0.key) }
        #expect(others.values.allSatisfy { $0.contains("eventfd") }, "\(others)")
    }

    @Test("It leaves no core, has a bound for memory and descriptors, no capability, and gains none")
    func limits() throws {
        #expect(try row("Max core file size", of: "limits").prefix(2) == ["0", "0"])
        #expect(try row("Max data size", of: "limits").prefix(2) == ["536870912", "536870912"])
        #expect(try row("Max open files", of: "limits").prefix(2) == ["1024", "1024"])
        #expect(try row("NoNewPrivs", of: "status") == ["1"])
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(try row(set, of: "status") == ["0000000000000000"], "\(set)")
        }
        #expect(try read("oom_score_adj") == "500\n")
    }

    @Test("It leads a session of its own, blocks and ignores no signal, and cannot be looked into by its like")
    func process() throws {
        let fields = try #require(try read("stat").split(separator: ")").last?.split(separator: " "))
        // Parent, group and session.
        #expect(fields[1...3].map { Int32($0) } == [host.processID, runner, runner])
        for set in ["SigBlk", "SigIgn"] {
            let mask = UInt64(try row(set, of: "status").first ?? "", radix: 16)
            // Signals from 32 on are the C library's own.
            #expect(mask.map { $0 & 0x7FFF_FFFF } == 0, "\(set)")
        }
        let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(runner)/mem")[.ownerAccountID] as? Int
        #expect(owner == 0)
    }
}
