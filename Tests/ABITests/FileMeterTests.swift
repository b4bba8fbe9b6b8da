import AdapterABI
import FakeHost
import Foundation
import TestSupport
import Testing

/// Examples/c/file_meter.c: an adapter against the header alone, built by its own Makefile and run through the
/// interface.
@Suite(.serialized) struct FileMeterTests {
    private let folder: TemporaryDirectory
    private let library: URL

    init() throws {
        folder = try TemporaryDirectory("file-meter")
        library = folder.file("libsmartmeter-file.so")
        let example = Checkout.root.appendingPathComponent("Examples/c").path
        let make = try ChildProcess(
            "/usr/bin/make", ["-C", example, "OUT=\(library.path)"],
            environment: ["PATH": "/usr/bin:/bin"], logs: folder, name: "make")
        guard try make.waitForEnd(within: 60) == 0 else { throw FixtureError("make: \(make.errors)") }
    }

    private func instance(_ host: FakeHost) throws -> InstanceUnderTest {
        try AdapterUnderTest(path: library.path).create(host)
    }

    @Test("It emits the number of watts in its file")
    func reads() throws {
        let file = try folder.write("watts", "412.5\n")
        let host = FakeHost(settings: ["path": file.path])
        let instance = try instance(host)
        try instance.start()
        let reading = try instance.read()
        #expect(reading.consumptionPowerW == 412.5)
        #expect(reading.known == METER_CONSUMPTION_POWER)
        #expect(reading.present == METER_CONSUMPTION_POWER)
        #expect(reading.circuits.isEmpty)
        instance.stop()
    }

    @Test("A file that is not there is unreachable, and comes back")
    func missingFile() throws {
        let host = FakeHost(settings: ["path": folder.file("later").path])
        let instance = try instance(host)
        try instance.start()
        let failure = try #require(throws: AdapterFailure.self) { try instance.read() }
        #expect(failure.code == METER_UNREACHABLE)
        #expect(failure.message.contains("FILE_PATH"))
        try folder.write("later", "7")
        #expect(try instance.read().consumptionPowerW == 7)
    }

    @Test(
        "A file without a number is bad data and emits nothing",
        arguments: ["", "watts", "12 apples", "nan", "inf", "1e999", "\u{0}5"])
    func badNumber(_ text: String) throws {
        let file = try folder.write("watts", text)
        let host = FakeHost(settings: ["path": file.path])
        let instance = try instance(host)
        try instance.start()
        let failure = try #require(throws: AdapterFailure.self) { try instance.read() }
        #expect(failure.code == METER_BAD_DATA)
        #expect(host.emissions.isEmpty)
    }

    @Test(
        "Without its path it is misconfigured, and nothing is made",
        arguments: [nil, String(repeating: "p", count: 5000)])
    func noPath(_ path: String?) throws {
        let host = FakeHost(settings: path.map { ["path": $0] } ?? [:])
        let failure = try #require(throws: AdapterFailure.self) { _ = try instance(host) }
        #expect(failure.code == METER_MISCONFIGURED)
        #expect(failure.message.contains("FILE_PATH"))
    }

    @Test(
        "It answers NULL to a host of another version",
        arguments: [2, 9 << 16, 1 << 16, 2 << 16, UInt32.max].filter { meter_serves($0) == 0 })
    func otherHost(_ version: UInt32) {
        #expect(unsafe AdapterUnderTest.enter(path: library.path, hostABI: version) == nil)
    }
}
