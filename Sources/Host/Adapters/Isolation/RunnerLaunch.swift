import Platform
import Readings

/// How a library is run in a process of its own.
struct RunnerLaunch: Sendable {
    let spawner: RunnerSpawner
    let library: StagedLibrary
    /// Libraries to load before it, by path.
    let needed: [String]
    /// What no adapter is to read, wherever it lies.
    let secret: [String]

    /// Why a runner is not there.
    enum Failure: Error {
        /// It does not want the library.
        case refused(LibraryObjection)
        /// - Parameter shortage: what the host had too little of, where that was why.
        case ended(RunnerEnd, during: String, shortage: HostShortage?)
    }

    /// What a library has for its constructors and its entry function, in ns, on a machine that is not busy.
    static let usualPatience = 10 * Duration.second
    /// What a process has to get ready, before anything foreign runs in it.
    private static let preparationTime = 30 * Duration.second

    /// Everything that the adapters of the library say of themselves, and the version of Landlock that confines them.
    /// The process that found it out is gone afterwards.
    /// - Parameters:
    ///   - patience: what the library has for its constructors and its entry function, in ns.
    ///   - say: takes what it writes to its standard output.
    func describe(
        patience: Int64, say: @escaping (String) -> Void
    ) throws(Failure) -> (descriptions: [AdapterDescription], landlock: Int) {
        let (runner, descriptions, landlock) = try load(
            setup, name: "describe", patience: patience, say: say)
        runner.end()
        if let objection = descriptions.lazy.compactMap(\.objection).first { throw .refused(objection) }
        if let reason = AdapterLibrary.objection(toAll: descriptions) {
            throw .refused(LibraryObjection(reason: reason))
        }
        return (descriptions, landlock)
    }

    /// A process in which the adapter of that type is loaded.
    func start(
        _ meterType: String, instance: String, settings: [String: String], files: [String],
        say: @escaping (String) -> Void
    ) throws(Failure) -> RunnerProcess {
        var setup = setup
        setup.meterType = meterType
        setup.instance = instance
        setup.settings = settings
        setup.files = files
        return try load(setup, name: instance, patience: Self.usualPatience, say: say).runner
    }

    private var setup: RunnerSetup { RunnerSetup(library: library.path, needed: needed, secret: secret) }

    private func load(
        _ setup: RunnerSetup, name: String, patience: Int64, say: @escaping (String) -> Void
    ) throws(Failure) -> (runner: RunnerProcess, descriptions: [AdapterDescription], landlock: Int) {
        let runner: RunnerProcess
        do throws(SystemError) {
            runner = try RunnerProcess(spawner, name: name, say: say)
        } catch {
            throw Self.failure(.notStarted(call: error.call, code: error.code), isPrepared: false)
        }
        _ = runner.send(.setup(setup))
        var limit = Self.preparationTime
        var deadline = Clock.monotonic() + limit
        var descriptions: [AdapterDescription] = []
        var landlock: UInt32?
        while true {
            let isPrepared = landlock != nil
            switch runner.next(until: deadline, wake: []) {
            case .message(.ready(runnerProtocolVersion, let version)) where !isPrepared:
                landlock = version
                limit = patience
                deadline = Clock.monotonic() + limit
            case .message(.described(let description))
            where isPrepared && descriptions.count < AdapterLibrary.mostDescriptors:
                descriptions.append(description)
            case .message(.refused(let reason, let shortage)) where isPrepared:
                runner.end()
                throw .refused(LibraryObjection(reason: reason, shortage: shortage))
            case .message(let message):
                if case .loaded = message, let landlock {
                    return (runner, descriptions, Int(clamping: landlock))
                }
                throw Self.failure(runner.kill(because: .violation("a message out of turn")), isPrepared: isPrepared)
            case .ended(let end): throw Self.failure(end, isPrepared: isPrepared)
            case .deadline, .woken:
                let time = "\(limit / Duration.second) s"
                throw Self.failure(runner.kill(because: .deadline(within: time)), isPrepared: isPrepared)
            }
        }
    }

    private static func failure(_ end: RunnerEnd, isPrepared: Bool) -> Failure {
        .ended(
            end, during: isPrepared ? "meter_adapter_entry, or what runs before it," : "its preparation",
            shortage: end.shortage(isPrepared: isPrepared))
    }
}
