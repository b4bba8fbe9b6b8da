import Glibc

/// What this process takes of the machine, as the kernel counts it.
package struct ProcessUsage: Sendable {
    package var residentBytes = 0
    /// The part of it that belongs to no file.
    package var anonymousBytes = 0
    package var virtualBytes = 0
    package var threads = 0
    package var openDescriptors = 0
    package var mostDescriptors = 0
    package var cpuSeconds = 0.0

    /// As it is now. What the kernel does not tell stays 0.
    package static func now() -> ProcessUsage {
        var usage = ProcessUsage()
        usage.readStatus()
        usage.openDescriptors = descriptorCount()
        var limit = rlimit()
        // The struct is valid for the call.
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            usage.mostDescriptors = Int(clamping: limit.rlim_cur)
        }
        usage.cpuSeconds = Double(Clock.processCPU()) / 1e9
        return usage
    }

    /// `/proc/self/status`: lines such as `VmRSS:	   27340 kB`.
    private mutating func readStatus() {
        for line in Self.text("/proc/self/status").split(separator: "\n") {
            let words = line.split { $0 == ":" || $0 == " " || $0 == "\t" }
            guard words.count >= 2, let value = Int(words[1]) else { continue }
            switch words[0] {
            case "VmRSS": residentBytes = value * 1024
            case "RssAnon": anonymousBytes = value * 1024
            case "VmSize": virtualBytes = value * 1024
            case "Threads": threads = value
            default: break
            }
        }
    }

    private static func text(_ path: String) -> String {
        let descriptor = FileDescriptor(owning: unsafe open(path, O_RDONLY | O_CLOEXEC))
        guard descriptor.number >= 0 else { return "" }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(descriptor.number, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }

    private static func descriptorCount() -> Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // Itself, its parent, and the folder that is being read.
        return max(0, count - 3)
    }
}
