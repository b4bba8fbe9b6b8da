import CLinux
import Glibc

/// The two clocks. Logic gets their values passed in; only threads' loops read them.
package enum Clock {
    /// CLOCK_MONOTONIC nanoseconds: waits and deadlines.
    package static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }
    /// CLOCK_REALTIME nanoseconds since the epoch.
    package static func wall() -> Int64 { read(CLOCK_REALTIME) }
    /// Nanoseconds of CPU that this process has used.
    package static func processCPU() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    /// Whether the kernel holds the wall clock for right: something, such as NTP, sets it.
    package static func isSynchronised() -> Bool { sm_clock_is_synchronised() == 1 }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // Both clocks exist on every Linux, and the pointer is valid for the call.
        _ = unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
