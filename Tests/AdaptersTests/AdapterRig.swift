import Configuration
import Foundation
import Glibc
import Observability
import Platform
import Readings
import Synchronization
import TestSupport

@testable import Adapters

/// One running instance with everything around it that the host would give it.
final class AdapterRig: Sendable {
    /// Keeps in memory what the host would make durable.
    final class Memory: AdapterMemory {
        private let values = Mutex<[String: [UInt8]]>([:])

        func store(_ key: String, _ value: [UInt8]?) -> Bool {
            values.withLock { $0[key] = value }
            return true
        }

        func note(_ key: String, _ value: [UInt8]) { values.withLock { $0[key] = value } }

        func secure(_ key: String, _ value: [UInt8]) { note(key, value) }

        func value(_ key: String) -> [UInt8]? { values.withLock { $0[key] } }
    }

    let running: RunningAdapter
    let board = LiveBoard()
    let intake: Intake<Emission>
    let memory = Memory()
    private let folder: TemporaryDirectory
    private let logFile: FileHandle

    /// - Parameters:
    ///   - adapter: what runs; the library's folder must outlive the instance's threads only.
    ///   - sampling: nanoseconds.
    init(
        _ adapter: LoadedAdapter, settings: [String: String] = [:], sampling: Int64 = 50_000_000,
        requestsPerDay: Int? = nil, state: [String: [UInt8]] = [:]
    ) throws {
        folder = try TemporaryDirectory("adapter")
        try folder.write("log", "")
        logFile = try FileHandle(forWritingTo: folder.file("log"))
        let log = try Log(descriptor: logFile.fileDescriptor)
        intake = Intake(laneLimit: 4096, totalLimit: 32_768, doorbell: try Doorbell())
        var settings = settings
        settings["gate"] = folder.file("gate").path
        running = try RunningAdapter(
            RunningAdapter.Plan(
                adapter: adapter, identity: InstanceIdentity(meterType: adapter.description.meterType), number: 1,
                sampling: sampling, settings: settings, requestsPerDay: requestsPerDay, circuits: [], state: state,
                maximumPowerW: 100_000, uncleanEnd: false),
            board: board, lane: intake.makeLane(), memory: memory, log: log, random: { 0 })
        try running.start()
    }

    deinit {
        try? openGate()
        running.stop()
        _ = running.join(until: Clock.monotonic() + 5 * Duration.second)
    }

    /// The adapter of a library that is compiled now.
    static func scripted(
        _ type: String = "scripted", _ isolation: HostSettings.Isolation = .auto
    ) throws -> LoadedAdapter {
        let folder = try TemporaryDirectory("scripted")
        try CAdapter.build("scripted.c", as: "scripted.so", in: folder)
        let catalog = try ShelfRig.catalog(release: folder.path, isolation)
        guard let adapter = catalog.adapter(ofType: type) else { throw FixtureError("refused: \(catalog.refused)") }
        return adapter
    }

    var status: InstanceStatus { running.status }
    var log: String { (try? String(contentsOf: folder.file("log"), encoding: .utf8)) ?? "" }

    /// Lets a call that waits go on.
    func openGate() throws { try folder.write("gate", "open") }

    func waitForState(_ word: String) throws {
        try waitUntil("state \(word); it is \(status.state), the log:\n\(log)") { status.state.word == word }
    }

    /// Stops it; false where its thread has not ended within `seconds`.
    func end(within seconds: Int64 = 5) -> Bool {
        running.stop()
        return running.join(until: Clock.monotonic() + seconds * Duration.second)
    }
}
