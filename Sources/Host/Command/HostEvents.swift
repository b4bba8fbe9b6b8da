import CLinux
import Glibc
import Platform

/// What main waits for: signals, a clock that is set, a connection to the control socket, a moment.
final class HostEvents {
    enum Event {
        case stop(signal: String)
        case reload
        case clockSet
        case connection
        /// Something has happened to adapters' files.
        case adapters
        case nothing
    }

    private let signals: FileDescriptor
    private let clock: FileDescriptor

    /// Before any other thread: they inherit the mask.
    init() throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        Glibc.signal(SIGPIPE, SIG_IGN)
        signals = FileDescriptor(owning: unsafe sm_signalfd(&set))
        guard signals.number >= 0 else { throw SystemError("signalfd") }
        clock = FileDescriptor(owning: sm_clock_timer())
        guard clock.number >= 0, sm_clock_timer_arm(clock.number) == 0 else { throw SystemError("timerfd") }
    }

    /// - Parameters:
    ///   - deadline: monotonic ns.
    ///   - adapters: descriptors that are readable when something has happened to adapters' files.
    func next(until deadline: Int64, listener: Int32, adapters: [Int32]) -> Event {
        let ready = Poll.ready([signals.number, clock.number, listener] + adapters, until: deadline)
        if ready[0] { return signal() }
        if ready[1] { return clockEvent() }
        if ready[2] { return .connection }
        return ready.contains(true) ? .adapters : .nothing
    }

    private func signal() -> Event {
        var information = [UInt8](repeating: 0, count: 128)
        guard unsafe read(signals.number, &information, information.count) >= 4 else { return .nothing }
        // signalfd_siginfo begins with the signal's number.
        let number = Int32(information[0])
        switch number {
        case SIGHUP: return .reload
        case SIGINT: return .stop(signal: "SIGINT")
        default: return .stop(signal: "SIGTERM")
        }
    }

    private func clockEvent() -> Event {
        var expirations: UInt64 = 0
        let count = unsafe read(clock.number, &expirations, 8)
        let wasSet = count < 0 && errno == ECANCELED
        _ = sm_clock_timer_arm(clock.number)
        return wasSet ? .clockSet : .nothing
    }
}
