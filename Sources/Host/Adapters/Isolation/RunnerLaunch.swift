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
        case refused(String)
        case ended(RunnerEnd, during: String)
    }

    private static let loadTime = 10 * Duration.second

    /// Everything that the adapters of the library say of themselves, and the version of Landlock that confines them.
    /// The process that found it out is gone afterwards.
    /// - Parameter say: takes what it writes to its standard output.
    func describe(
        say: @escaping (String) -> Void
    ) throws(Failure) -> (descriptions: [AdapterDescription], landlock: Int) {
        let (runner, descriptions, landlock) = try load(setup, name: "describe", say: say)
        runner.end()
        if let objection = descriptions.lazy.compactMap(\.objection).first { throw .refused(objection.reason) }
        if let reason = AdapterLibrary.objection(toAll: descriptions) { throw .refused(reason) }
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
        return try load(setup, name: instance, say: say).runner
    }

    private var setup: RunnerSetup { RunnerSetup(library: library.path, needed: needed, secret: secret) }

    private func load(
        _ setup: RunnerSetup, name: String, say: @escaping (String) -> Void
    ) throws(Failure) -> (runner: RunnerProcess, descriptions: [AdapterDescription], landlock: Int) {
        let runner: RunnerProcess
        do throws(SystemError) {
            runner = try RunnerProcess(spawner, name: name, say: say)
        } catch {
            throw .ended(.notStarted("\(error)"), during: "")
        }
        _ = runner.send(.setup(setup))
        let deadline = Clock.monotonic() + Self.loadTime
        var descriptions: [AdapterDescription] = []
        var landlock: UInt32?
        while true {
            let loading = landlock == nil ? "its preparation" : "meter_adapter_entry, or what runs before it,"
            switch runner.next(until: deadline, wake: []) {
            case .message(.ready(runnerProtocolVersion, let version)) where landlock == nil: landlock = version
            case .message(.described(let description))
            where landlock != nil && descriptions.count < AdapterLibrary.mostDescriptors:
                descriptions.append(description)
            case .message(.refused(let reason)) where landlock != nil:
                runner.end()
                throw .refused(reason)
            case .message(let message):
                if case .loaded = message, let landlock {
                    return (runner, descriptions, Int(clamping: landlock))
                }
                throw .ended(runner.kill(because: .violation("a message out of turn")), during: loading)
            case .ended(let end): throw .ended(end, during: loading)
            case .deadline, .woken: throw .ended(runner.kill(because: .deadline(within: "10 s")), during: loading)
            }
        }
    }
}
