import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Surroundings that are short of something", .serialized)
struct ScarcityTests {
    @Test("Out of descriptors it neither spins nor loses anything, and goes on once there are some")
    func descriptors() throws {
        let influx = try InfluxServer()
        let host = try HostProcess(
            QuickMock.to(influx.url, api: "v1"), wrapper: ["/usr/bin/prlimit", "--nofile=80:80"])
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("points", within: 20) { try influx.points("smart_meter").count >= 2 }
        // InfluxDB restarts while none is left for a new connection.
        var idle: Loopback.IdleConnections? = Loopback.IdleConnections(120, to: host.port)
        try waitUntil("that none is left", within: 10) {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(host.processID)/fd").count >= 79
        }
        influx.stop()
        try influx.start()
        let before = try store.newestEnd()
        let cpu = try seconds(host)
        let begin = Date()
        try waitUntil("five slots meanwhile", within: 20) {
            try store.newestEnd() >= before + 5_000_000_000
        }
        let share = try (seconds(host) - cpu) / Date().timeIntervalSince(begin)
        #expect(share < 0.5, "it waits, and does not spin: \(share)")
        #expect(idle?.count ?? 0 > 70)
        idle = nil
        let end = try store.newestEnd()
        try waitUntil("the delivery of all; the log:\n\(host.log.suffix(2000))", within: 90) {
            try store.deliveredUpTo() >= end
        }
        try host.waitForHealth("health", within: 30) { $0["status"] as? String == "healthy" }
        let times = Set(try influx.points("smart_meter").map(\.time))
        #expect(try store.slots().filter { $0.end <= end }.allSatisfy { times.contains($0.end) })
    }

    @Test("Thousands of polls on, memory, descriptors and threads are what they were")
    func level() throws {
        let influx = try InfluxServer()
        let folder = try TemporaryDirectory("ledger")
        try CAdapter.build("ledger.c", as: "ledger.so", in: folder)
        // Its readings are kept for a second only: what is kept is soon as much as it will ever be.
        let labels = "ABCDEFGHIJ".map(String.init)
        var settings = [
            "METER_TYPE": labels.map { "ledger@\($0.lowercased())" }.joined(separator: ","),
            "ADAPTER_PATH": folder.path, "INFLUXDB_URL": influx.url, "INFLUXDB_API": "v1",
        ]
        for label in labels {
            // An adapter in a process of its own makes no files.
            try folder.write("book-\(label)", "")
            settings["LEDGER__\(label)__FILE"] = folder.file("book-\(label)").path
            settings["LEDGER__\(label)__SAMPLE_SECONDS"] = "0.1"
            settings["LEDGER__\(label)__INTERVAL_SECONDS"] = "1"
        }
        let host = try HostProcess(settings)
        func polls() -> Int { (try? host.health())?["total_fetches"] as? Int ?? 0 }
        // A hundred polls a second; ten thousand in make soak.
        let count = Checkout.rounds * 200
        try waitUntil("the first polls; the log:\n\(host.log.suffix(2000))", within: 30 + Double(count) / 50) {
            polls() >= count / 3
        }
        let before = try Usage(host)
        try waitUntil("\(count) polls", within: 60 + Double(count) / 50) { polls() >= count }
        let after = try Usage(host)
        print("after \(count / 3) polls \(before), after \(count) \(after)")
        #expect(after.descriptors <= before.descriptors + 2)
        #expect(after.threads == before.threads)
        #expect(after.residentKB <= before.residentKB + 1500)
    }

    private struct Usage {
        let residentKB: Int
        let threads: Int
        let descriptors: Int

        init(_ host: HostProcess) throws {
            let status = try String(contentsOfFile: "/proc/\(host.processID)/status", encoding: .utf8)
            func number(_ name: String) throws -> Int {
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
                return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
            }
            residentKB = try number("VmRSS:")
            threads = try number("Threads:")
            descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(host.processID)/fd").count
        }
    }

    /// CPU time that the host has used.
    private func seconds(_ host: HostProcess) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(host.processID)/stat", encoding: .utf8)
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw FixtureError("/proc/PID/stat: \(text)")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    @Test(
        "A name server that never answers holds nothing up but what it was asked for",
        .enabled(if: geteuid() == 0, "a name server of its own needs root"))
    func nameServer() throws {
        let silent = try SilentNameServer()
        let folder = try TemporaryDirectory("resolver")
        let configuration = try folder.write("resolv.conf", "nameserver \(SilentNameServer.address)\n")
        let host = try HostProcess(
            QuickMock.to("http://influx.example.test:8086", api: "v1"),
            wrapper: [
                "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"", configuration.path,
            ])
        let store = StoredSlots(dataDirectory: host.dataDirectory)
        try waitUntil("slots; the log:\n\(host.log.suffix(2000))", within: 20) {
            try store.newestOrNone() > 0 && store.slots().count >= 3
        }
        try host.waitForHealth("what cannot be reached", within: 40) {
            "\($0["problems"] ?? "")".contains("influx.example.test:8086")
        }
        #expect(silent.questions > 0, "it was asked")
        #expect(try host.consumption()?["total_power_w"] is NSNumber)
        #expect(try #require(host.terminate()) < 2)
    }

    @Test("A proxy that the environment names is used, and no_proxy is kept to")
    func proxy() throws {
        let proxy = try FaultServer { _ in .reply(.init(204)) }
        var settings = QuickMock.to("http://influx.example.test:8086", api: "v1")
        settings["http_proxy"] = proxy.url
        let host = try HostProcess(settings)
        try waitUntil("a write through the proxy; the log:\n\(host.log.suffix(2000))", within: 20) {
            proxy.requests.contains { $0.target.hasPrefix("http://influx.example.test:8086/write?db=") }
        }
        host.terminate()

        let influx = try InfluxServer()
        proxy.forgetRequests()
        settings = QuickMock.to(influx.url, api: "v1")
        settings["http_proxy"] = proxy.url
        settings["no_proxy"] = "127.0.0.1"
        let direct = try HostProcess(settings)
        try waitUntil("points; the log:\n\(direct.log.suffix(2000))", within: 20) {
            try !influx.points("smart_meter").isEmpty
        }
        #expect(proxy.count == 0)
    }

    @Test("With IPv6 alone it serves and delivers")
    func internetProtocol6() throws {
        let influx = try InfluxServer(speaksIPv6: true)
        var settings = QuickMock.to("http://[::1]:\(influx.port)", api: "auto")
        settings["BIND_ADDRESS"] = "::1"
        let host = try HostProcess(settings)
        try waitUntil("points; the log:\n\(host.log.suffix(2000))", within: 20) {
            try !influx.points("smart_meter").isEmpty
        }
        let folder = try TemporaryDirectory("python")
        let client = try ChildProcess(
            "/usr/bin/env",
            [
                "python3", "-c",
                "import urllib.request as r; print(r.urlopen('http://[::1]:\(host.port)/consumption').status)",
            ],
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"], logs: folder,
            name: "client")
        #expect(try client.waitForEnd() == 0, "\(client.errors)")
        #expect(client.output == "200\n")
        #expect(throws: (any Error).self) { try HTTP.get(host.port, "/live") }
    }
}

/// Takes questions and never answers. Root only: it is asked on port 53.
private final class SilentNameServer {
    static let address = "127.83.83.83"
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(53).bigEndian
        address.sin_addr.s_addr = unsafe inet_addr(Self.address)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw FixtureError("cannot listen on port 53 of \(Self.address): errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// That have come and were not counted before.
    var questions: Int {
        var count = 0
        var buffer = [UInt8](repeating: 0, count: 512)
        while unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 { count += 1 }
        return count
    }
}
