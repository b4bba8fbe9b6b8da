import CLinux
import Glibc
import Platform

/// What belongs to all of a process, and an adapter leaves alone.
struct ProcessManners: Sendable, Equatable {
    var environment: [String: String] = [:]
    var directory = ""
    var mask: mode_t = 0
    var locale = ""
    /// By number: what is done with it, as bytes.
    var signals: [[UInt8]] = []

    static func now() -> ProcessManners {
        var manners = ProcessManners()
        var entry = unsafe environ
        while let pair = unsafe entry.pointee {
            let parts = unsafe String(cString: pair).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { manners.environment[String(parts[0])] = String(parts[1]) }
            unsafe entry += 1
        }
        var buffer = [CChar](repeating: 0, count: 4096)
        if unsafe getcwd(&buffer, buffer.count) != nil {
            manners.directory = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        manners.mask = umask(0)
        umask(manners.mask)
        if let locale = unsafe setlocale(LC_ALL, nil) { manners.locale = unsafe String(cString: locale) }
        for number in 1..<Int32(32) {
            var action = sigaction()
            unsafe sigaction(number, nil, &action)
            // The C library sets it itself whenever it installs a handler, also one that was there before.
            action.sa_flags &= ~Self.restorerFlag
            // The handler, which comes first, and the flags; of the mask the kernel fills in a part only.
            let handler = unsafe withUnsafeBytes(of: &action) { unsafe Array($0.prefix(8)) }
            let flags = unsafe withUnsafeBytes(of: &action.sa_flags) { unsafe Array($0) }
            manners.signals.append(handler + flags)
        }
        return manners
    }

    /// SA_RESTORER of the kernel.
    private static let restorerFlag: Int32 = 0x0400_0000

    /// Signals with which something else is done now, by name.
    func changedSignals(since before: ProcessManners) -> [String] {
        zip(before.signals, signals).enumerated().filter { $1.0 != $1.1 }.map { index, _ in
            guard let name = unsafe sm_signal_abbreviation(Int32(index + 1)) else { return "signal \(index + 1)" }
            return unsafe "SIG" + String(cString: name)
        }
    }
}

/// What the process has of things that an adapter gives back.
struct ProcessHoldings: Sendable {
    var threads: Int
    var descriptors: Int
    /// Bytes that malloc has given away.
    var bytes: Int

    static func now() -> ProcessHoldings {
        let usage = ProcessUsage.now()
        return ProcessHoldings(
            threads: usage.threads, descriptors: usage.openDescriptors, bytes: Int(clamping: sm_allocated_bytes()))
    }
}
