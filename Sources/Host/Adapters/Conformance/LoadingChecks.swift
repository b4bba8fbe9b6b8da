import AdapterABI
import CLinux
import Glibc
import Platform
import Readings

/// What a library is to the loader and to the host, before there is an instance of anything.
enum LoadingChecks {
    private static let entryName = "meter_adapter_entry"
    private static let slow = Duration.second
    /// Loading a hundred adapters is to take no longer than a person waits.
    private static let noticeable = 250 * Duration.millisecond

    static let table: [ConformanceCheck] = [
        ConformanceCheck(
            "load-file", .loading, "The file is a whole shared library of this machine with the entry function"
        ) { (bench) throws(Finding) in try hold(bench, to: .file, "build it with -shared and METER_EXPORT") },
        ConformanceCheck(
            "load-version", .loading, "Library and descriptor begin with METER_MAGIC and the ABI version of this host"
        ) { (bench) throws(Finding) in try hold(bench, to: .version, "build it against this host's meter_adapter.h") },
        ConformanceCheck("load-time", .loading, "dlopen and the entry function take less than a second") {
            (bench) throws(Finding) in
            _ = try bench.adapter()
            let time = bench.loadTime
            let seen = "it took \(time / Duration.millisecond) ms"
            if time > slow {
                throw .failed(seen, expected: "less than 1,000 ms", advice: "move the work from constructors to start")
            }
            if time > noticeable {
                throw .warning(seen, expected: "less than 250 ms", advice: "move the work from constructors to start")
            }
        },
        ConformanceCheck(
            "load-exports", .loading, "The library exports meter_adapter_entry and nothing else", body: exports),
        ConformanceCheck(
            "load-needs", .loading, "It is a single file: it needs no Swift runtime and no library that lies beside it"
        ) { (bench) throws(Finding) in
            guard !bench.setup.isRelease else {
                throw .skipped("it is the host's own, and may use what comes with the host")
            }
            try hold(bench, to: .needs, "link such libraries statically (-static-stdlib for Swift)")
        },
        ConformanceCheck(
            "load-other-host", .loading, "A host of another version gets NULL, or a library that says its own version",
            body: otherHosts),
    ]

    /// Fails where the host objects to that part of the library.
    static func hold(_ bench: CheckBench, to rule: LibraryObjection.Rule, _ advice: String) throws(Finding) {
        guard let objection = bench.objection else { return }
        guard objection.rule == rule else {
            throw .skipped("the host does not use the library: \(objection.reason)")
        }
        throw .failed(objection.reason, expected: "what meter_adapter.h says of it", advice: advice)
    }

    private static func file(_ bench: CheckBench) -> FileDescriptor {
        FileDescriptor(owning: unsafe sm_open(bench.setup.library, O_RDONLY, 0))
    }

    private static func exports(_ bench: CheckBench) throws(Finding) {
        guard let names = ELFExports.names(of: file(bench)) else {
            throw .skipped("the file has no table of sections, so its exports cannot be listed")
        }
        let others = names.filter { $0 != entryName && !linkerNames.contains($0) }
        guard let first = others.first else { return }
        let seen = "it also exports \(first)" + (others.count > 1 ? " and \(others.count - 1) more" : "")
        let expected = "only \(entryName): a second adapter in the process may have functions of the same names"
        let advice = "link with -fvisibility=hidden, or a version script { global: \(entryName); local: *; };"
        // What a compiler's runtime exports is not of the author's making.
        if others.allSatisfy(isOfRuntime) { throw .warning(seen, expected: expected, advice: advice) }
        throw .failed(seen, expected: expected, advice: advice)
    }

    private static let linkerNames: Set<String> = ["_init", "_fini", "_edata", "_end", "__bss_start", "_etext"]

    private static func isOfRuntime(_ name: String) -> Bool {
        let prefixes = [
            "$s", "swift_", "_swift", "_Z", "_R", "rust_", "__rust", "_cgo", "x_cgo", "crosscall", "runtime.",
        ]
        return prefixes.contains { name.hasPrefix($0) }
    }

    private static func otherHosts(_ bench: CheckBench) throws(Finding) {
        _ = try bench.adapter()
        guard let handle = unsafe dlopen(bench.setup.library, RTLD_NOW | RTLD_LOCAL),
            let symbol = unsafe dlsym(handle, entryName)
        else { throw .skipped("it does not load again") }
        typealias Entry = @convention(c) (UInt32) -> UnsafePointer<meter_library>?
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        let own = METER_ABI_MAJOR << 16 | METER_ABI_MINOR
        for version in [0, own + 1, (METER_ABI_MAJOR + 1) << 16, UInt32.max] where version != own {
            bench.line.say(.call("meter_adapter_entry(\(version))"))
            guard let library = unsafe entry(version) else { continue }
            let major = unsafe library.pointee.abi_major
            guard unsafe library.pointee.magic == METER_MAGIC, major == METER_ABI_MAJOR,
                unsafe library.pointee.abi_minor == METER_ABI_MINOR
            else {
                throw .failed(
                    "for a host of version \(version >> 16).\(version & 0xFFFF) its library says ABI \(major)",
                    expected: "NULL, or the version that it was built for",
                    advice: "answer NULL unless the host's version is METER_ABI")
            }
        }
    }
}
