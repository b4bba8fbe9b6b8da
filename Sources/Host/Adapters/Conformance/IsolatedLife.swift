import AdapterABI
import CLinux
import Glibc
import Observability
import Platform
import Readings

/// One life of an adapter as the host leads it where its file was dropped in: from a copy, in a process of its own, over
/// the runner's protocol.
struct IsolatedLife: Sendable {
    enum Call: String, Sendable {
        case create, start, read, history, stop, destroy
    }

    /// The first call that failed, and what the adapter said.
    private(set) var failure: (call: Call, said: AdapterFailure)?
    /// How its process ended before it was to.
    private(set) var end: String?
    /// Nanoseconds from the word to stop to the end of its process; nil = it had not been started.
    private(set) var stopTime: Int64?
    private(set) var hasReading = false

    private static let readTime = 15 * Duration.second
    private static let historyTime = 5 * Duration.second
    private static let steps: Int64 = 20

    /// - Parameters:
    ///   - isStarted: else it is created and destroyed.
    ///   - wait: nanoseconds that a push adapter's reading is waited for.
    static func lead(
        _ launch: RunnerLaunch, _ description: AdapterDescription, settings: [String: String], isStarted: Bool,
        wait: Int64
    ) throws(SystemError) -> IsolatedLife {
        let board = LiveBoard()
        let port = EmissionPort(
            instance: 0, circuits: [], maximumPowerW: .infinity, board: board, lane: nil, complain: { _ in })
        // What it says is another check's.
        let nowhere = FileDescriptor(owning: unsafe sm_open("/dev/null", O_WRONLY, 0))
        let services = try InstanceServices(
            instance: InstanceIdentity(meterType: description.meterType), port: port, state: [:], requestsPerDay: nil,
            sampling: description.defaultSampling, isPush: description.delivery == .push, memory: NoMemory(),
            log: try Log(level: .error, descriptor: nowhere.number))
        let bell = try Doorbell()
        var hosting = IsolatedHosting(
            launch, description, instance: description.meterType, settings: settings, services: services)
        var life = IsolatedLife()
        if life.make(.create, { () throws(HostingError) in try hosting.create() }), isStarted {
            services.open()
            if life.make(.start, { () throws(HostingError) in try hosting.start() }) {
                life.make(.read) { () throws(HostingError) in
                    guard description.delivery == .push else {
                        return try hosting.read(until: Clock.monotonic() + readTime)
                    }
                    try awaitReading(on: board, services, &hosting, until: Clock.monotonic() + wait, bell)
                }
                life.hasReading = board.newest(of: 0) != nil
                if description.historyStep > 0 {
                    life.make(.history) { () throws(HostingError) in
                        _ = try unsafe hosting.history(request(description.historyStep)) { _ in METER_SINK_CONTINUE }
                    }
                }
            }
            let begin = Clock.monotonic()
            services.cancel()
            life.make(.stop) { () throws(HostingError) in try hosting.stop() }
            services.close()
            life.make(.destroy) { () throws(HostingError) in try hosting.destroy() }
            life.stopTime = Clock.monotonic() - begin
        } else {
            life.make(.destroy) { () throws(HostingError) in try hosting.destroy() }
        }
        withExtendedLifetime(nowhere) {}
        return life
    }

    /// False where the call failed; once its process has ended none is made.
    @discardableResult
    private mutating func make(_ call: Call, _ body: () throws(HostingError) -> Void) -> Bool {
        guard end == nil else { return false }
        do throws(HostingError) {
            try body()
            return true
        } catch {
            switch error {
            case .failed(let said): failure = failure ?? (call, said)
            case .ended(let how): end = how
            }
            return false
        }
    }

    private static func awaitReading(
        on board: LiveBoard, _ services: InstanceServices, _ hosting: inout IsolatedHosting, until deadline: Int64,
        _ bell: Doorbell
    ) throws(HostingError) {
        while board.newest(of: 0) == nil {
            if let condition = services.currentCondition {
                throw .failed(AdapterFailure(code: condition.code, message: condition.message))
            }
            guard Clock.monotonic() < deadline else {
                throw .failed(AdapterFailure(code: METER_TIMEOUT, message: "no reading came"))
            }
            try hosting.idle(until: deadline, bell)
        }
    }

    /// The last steps but one.
    private static func request(_ step: Int64) -> HistoryRequest {
        let to = Clock.wall() / step * step - step
        return HistoryRequest(
            from: to - steps * step, to: to, step: step, maxRecords: UInt32(steps),
            deadline: Clock.monotonic() + historyTime)
    }
}

/// Keeps nothing once the instance is gone.
private struct NoMemory: AdapterMemory {
    func store(_ key: String, _ value: [UInt8]?) -> Bool { true }
    func note(_ key: String, _ value: [UInt8]) {}
    func secure(_ key: String, _ value: [UInt8]) {}
}
