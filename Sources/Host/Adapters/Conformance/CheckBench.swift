import AdapterABI
import CLinux
import Configuration
import Glibc
import Platform
import Readings

/// What a check has at hand: the adapter, instances of it, and what checks of the same child have found out already.
/// Used by the thread that the checks run on.
final class CheckBench {
    let setup: CheckSetup
    let line: CheckLine
    /// How the process was before the library was loaded.
    let before = ProcessManners.now()
    private var loaded: Result<HostedAdapter, LibraryObjection>?
    /// How long the library took to load; nanoseconds.
    private(set) var loadTime: Int64 = 0
    private var session: Result<ReadingSession, Finding>?
    var lives: LeakMeasure?
    var history: HistorySession?
    var mannersAreSeen = false
    private var hasRead = false
    /// Whether what the host's HTTP does is nothing to the adapter, as an instance has shown.
    private(set) var ignoresHTTP = false
    /// Why there is no meter, once that is known.
    private var lacking: Finding?

    init(_ setup: CheckSetup, _ line: CheckLine) {
        self.setup = setup
        self.line = line
    }

    // MARK: The library

    /// What the host objects to in it; nil = nothing.
    var objection: LibraryObjection? {
        if case .failure(let objection) = load() { objection } else { nil }
    }

    /// The adapter; where the host would not use its library, checks say nothing.
    func adapter() throws(Finding) -> HostedAdapter {
        switch load() {
        case .success(let adapter): return adapter
        case .failure(let objection): throw .skipped("the host does not use the library: \(objection.reason)")
        }
    }

    private func load() -> Result<HostedAdapter, LibraryObjection> {
        if let loaded { return loaded }
        let result: Result<HostedAdapter, LibraryObjection>
        line.say(.call("meter_adapter_entry(), or what runs before it"))
        let begin = Clock.monotonic()
        do throws(LibraryObjection) {
            let adapters = try Self.adapters(setup)
            let wanted = adapters.first { setup.meterType.isEmpty || $0.description.meterType == setup.meterType }
            result = wanted.map(Result.success) ?? .failure(LibraryObjection(reason: "it has no such adapter"))
        } catch {
            result = .failure(error)
        }
        loadTime = Clock.monotonic() - begin
        loaded = result
        return result
    }

    /// What the host does before it loads a library, and then that.
    static func adapters(_ setup: CheckSetup) throws(LibraryObjection) -> [HostedAdapter] {
        let file = FileDescriptor(owning: unsafe sm_open(setup.library, O_RDONLY, 0))
        let directory = AdapterLoader.directory(of: setup.library)
        _ = try AdapterLoader.needs(of: file, in: directory, isRelease: setup.isRelease)
        return try AdapterLibrary.load(setup.library, needed: setup.needed)
    }

    // MARK: Instances

    /// Whether the settings that were given are enough for a meter; else nothing of the real network is asked.
    var hasMeter: Bool { missing.isEmpty }

    /// Required settings without a value.
    private var missing: [String] {
        guard case .success(let adapter) = load() else { return [] }
        return adapter.description.missing(in: setup.settings)
    }

    /// Values for everything that is required and was not given.
    func settings(_ adapter: HostedAdapter, fillsSecrets: Bool = false) -> [String: String] {
        adapter.description.values(setup.settings, fillsSecrets: fillsSecrets)
    }

    /// A new one, not created yet.
    /// - Parameters:
    ///   - weather: the network; nil = the real one where there is a meter, else one that refuses.
    ///   - settings: nil = those that were given, and what stands in for the rest.
    func instance(
        _ weather: CheckNetwork.Weather? = nil, settings: [String: String]? = nil, services: CheckServices? = nil,
        shape: HostShape = HostShape(), asksWhy: Bool = true
    ) throws(Finding) -> CheckedInstance {
        let adapter = try adapter()
        let host = if let services { services } else { try self.services() }
        return CheckedInstance(
            adapter, settings: settings ?? self.settings(adapter), services: host,
            network: CheckNetwork(weather ?? (hasMeter ? .real : .refused)), shape: shape, asksWhy: asksWhy, line: line,
            mostPause: setup.wait)
    }

    /// A host for an instance; parameters as `CheckServices` has them.
    func services(
        emitAnswer: Int32? = nil, value: [UInt8]? = nil, keeps: Bool = true
    ) throws(Finding) -> CheckServices {
        do throws(SystemError) {
            return try CheckServices(emitAnswer: emitAnswer, value: value, keeps: keeps)
        } catch {
            throw .skipped("the checker has run out of something: \(error)")
        }
    }

    /// One that has been created and started; skipped where that cannot be had.
    func started(_ weather: CheckNetwork.Weather? = nil) throws(Finding) -> CheckedInstance {
        // It is not waited for again.
        if weather == nil, let lacking { throw lacking }
        let instance = try instance(weather)
        do throws(Finding) {
            try orSkip("create") { () throws(AdapterFailure) in try instance.create() }
            try orSkip("start") { () throws(AdapterFailure) in try instance.start() }
        } catch {
            instance.destroy()
            if weather == nil { lacking = error }
            throw error
        }
        return instance
    }

    /// Skipped where no meter was given, or it is known that there is none.
    func needsMeter() throws(Finding) {
        if let lacking { throw lacking }
        if !hasMeter { try needsReading() }
    }

    /// What it has shown of the adapter.
    func note(_ instance: CheckedInstance) { ignoresHTTP = ignoresHTTP || instance.ignoresHTTP }

    /// Skipped where the adapter asks nothing of the host's HTTP.
    func needsHTTP(of instance: CheckedInstance? = nil) throws(Finding) {
        if let instance { note(instance) }
        if ignoresHTTP { throw .skipped("it asks nothing of the host's HTTP") }
    }

    /// One that may be asked about the past: a push adapter once it has heard of its meter.
    func startedForHistory() throws(Finding) -> CheckedInstance {
        let isPush = try adapter().description.delivery == .push
        let instance = try started()
        if isPush { try? instance.read(within: setup.wait) }
        return instance
    }

    /// Makes a call whose failure leaves nothing to check.
    func orSkip<Value>(_ call: String, _ body: () throws(AdapterFailure) -> Value) throws(Finding) -> Value {
        do throws(AdapterFailure) {
            return try body()
        } catch {
            throw noMeter(call, error)
        }
    }

    /// Why there is nothing to check where a call fails.
    func noMeter(_ call: String, _ failure: AdapterFailure) -> Finding {
        guard hasMeter else { return .noMeterGiven(missing: missing) }
        return .skipped("there is no meter to be read: \(call) says \(failure.word): \(failure.message)")
    }

    // MARK: Readings

    /// What some reads in a row gave; made once a child.
    func readings() throws(Finding) -> ReadingSession {
        if let session { return try session.get() }
        let result = Result { () throws(Finding) in try ReadingSession.make(self) }
        session = result
        return try result.get()
    }

    /// Makes sure that there is a meter whose reading the host takes: what a check compares with.
    func needsReading() throws(Finding) {
        if case .success(let session)? = session, !session.readings.isEmpty { return }
        if hasRead { return }
        let instance = try started()
        defer {
            instance.stop()
            instance.destroy()
        }
        let failure: AdapterFailure?
        do throws(AdapterFailure) {
            try instance.read()
            failure = nil
        } catch {
            failure = error
        }
        if let refusal = instance.services.seen.refusals.first {
            throw .skipped("the host refuses every reading: \(refusal.reason)")
        }
        if let failure {
            let finding = noMeter("read", failure)
            lacking = finding
            throw finding
        }
        hasRead = true
    }

    /// Readings that the host has accepted; skipped where it has refused them all.
    func accepted() throws(Finding) -> [SeenReading] {
        let session = try readings()
        guard !session.readings.isEmpty else {
            throw .skipped("the host refuses every reading: \(session.refusals.first?.reason ?? "none came")")
        }
        return session.readings
    }
}

/// What some reads in a row gave.
struct ReadingSession: Sendable {
    var readings: [SeenReading] = []
    var refusals: [ReadingAssembly.Refusal] = []
    /// Reads that said METER_OK and gave nothing.
    var silentReads = 0

    private static let reads = 2

    static func make(_ bench: CheckBench) throws(Finding) -> ReadingSession {
        let adapter = try bench.adapter()
        let instance = try bench.started()
        defer {
            instance.stop()
            instance.destroy()
        }
        var session = ReadingSession()
        // One that wants a longer pause than there is time for is read once.
        let isPatient = adapter.description.delivery == .pull && adapter.description.minimumSampling > bench.setup.wait
        let reads = isPatient ? 1 : Self.reads
        for number in 0..<reads {
            let before = instance.services.seen.emits
            do throws(AdapterFailure) {
                try instance.read(within: max(bench.setup.wait, CheckedInstance.patience))
            } catch {
                // A refused reading is the reason of a read that fails.
                guard instance.services.seen.emits == before else { continue }
                if number > 0 { break }
                throw bench.noMeter("read", error)
            }
            if instance.services.seen.emits == before { session.silentReads += 1 }
        }
        session.readings = instance.services.seen.readings
        session.refusals = instance.services.seen.refusals
        return session
    }
}
