import AdapterABI
import Glibc
import Platform
import Readings

/// What an adapter says of itself.
enum DescriptorChecks {
    static let table: [ConformanceCheck] = [
        ConformanceCheck("descriptor-library", .descriptor, "1 to 64 descriptors, none NULL or short, each type once") {
            (bench) throws(Finding) in
            try hold(bench, .library, "set struct_size with sizeof, and descriptor_count to what the table has")
        },
        ConformanceCheck(
            "descriptor-functions", .descriptor, "All functions are there; read is there for pull, and NULL for push"
        ) { (bench) throws(Finding) in try hold(bench, .functions, "fill in create, start, stop and destroy") },
        ConformanceCheck("descriptor-texts", .descriptor, "Texts are lines of UTF-8 of at most 1 KB") {
            (bench) throws(Finding) in try hold(bench, .texts, "write texts in UTF-8, without line ends")
        },
        ConformanceCheck(
            "descriptor-mandatory", .descriptor, "It has a name, a version and a meter_type of [a-z][a-z0-9_]*"
        ) { (bench) throws(Finding) in try hold(bench, .mandatory, "fill in meter_type, name and version") },
        ConformanceCheck(
            "descriptor-durations", .descriptor, "Durations are not negative; a pull adapter has a minimum"
        ) {
            (bench) throws(Finding) in try hold(bench, .durations, "set minimum_sampling_ns; all times are nanoseconds")
        },
        ConformanceCheck(
            "descriptor-settings", .descriptor,
            "Settings have bare names, help, a known kind, and defaults of that kind"
        ) { (bench) throws(Finding) in try hold(bench, .settings, "see meter_setting in meter_adapter.h") },
        ConformanceCheck(
            "descriptor-stable", .descriptor, "Descriptor and library are the same after an instance has lived",
            body: stable),
        ConformanceCheck(
            "descriptor-history", .descriptor, "history_step_ns says what meter.history/1 does: both, or neither"
        ) { (bench) throws(Finding) in
            let adapter = try bench.adapter()
            let hasStep = adapter.description.historyStep > 0
            let hasTable = extensionAddress(METER_HISTORY, of: adapter) != 0
            guard hasStep != hasTable else { return }
            throw .failed(
                hasStep ? "a history_step_ns, but no meter.history/1" : "meter.history/1, but history_step_ns is 0",
                expected: "both, or neither", advice: "set history_step_ns to the finest step that history can give")
        },
        ConformanceCheck(
            "descriptor-extensions", .descriptor, "Asked for an extension that it has not, it answers NULL"
        ) {
            (bench) throws(Finding) in
            let adapter = try bench.adapter()
            for id in [
                "", "meter.history/2", "meter.history/10", "meter.history/1 ", "meter.history", "meter.unknown/1",
            ]
            where extensionAddress(id, of: adapter) != 0 {
                throw .failed(
                    "extension(\"\(id)\") answers a table", expected: "NULL for an id that is not exactly its own",
                    advice: "compare the whole id, length included (meter_text_is)")
            }
        },
    ]

    private static func hold(
        _ bench: CheckBench, _ rule: LibraryObjection.Rule, _ advice: String
    ) throws(Finding) {
        try LoadingChecks.hold(bench, to: rule, advice)
    }

    /// 0 = none.
    private static func extensionAddress(_ id: String, of adapter: HostedAdapter) -> UInt {
        unsafe id.withCString { text in
            unsafe UInt(bitPattern: adapter.functions?.pointee.extension?(meter_text_of(text)))
        }
    }

    private static func stable(_ bench: CheckBench) throws(Finding) {
        let adapter = try bench.adapter()
        let first = bytes(of: adapter)
        try bench.instance(.refused).live()
        guard bytes(of: adapter) == first else {
            throw .failed(
                "the descriptor changed while an instance lived", expected: "it never changes",
                advice: "make it static const; what an instance finds out belongs to the instance")
        }
        guard let handle = unsafe dlopen(bench.setup.library, RTLD_NOW | RTLD_LOCAL),
            let symbol = unsafe dlsym(handle, "meter_adapter_entry")
        else { throw .skipped("it does not load again") }
        typealias Entry = @convention(c) (UInt32) -> UnsafePointer<meter_library>?
        bench.line.say(.call("meter_adapter_entry()"))
        guard let library = unsafe unsafeBitCast(symbol, to: Entry.self)(METER_ABI_MAJOR << 16 | METER_ABI_MINOR),
            unsafe (0..<Int(min(library.pointee.descriptor_count, 64))).contains(where: {
                unsafe UInt(bitPattern: library.pointee.descriptors[$0]) == adapter.descriptorAddress
            })
        else {
            throw .failed(
                "asked again, the entry function answers another library", expected: "the same as the first time",
                advice: "make meter_library static const")
        }
    }

    private static func bytes(of adapter: HostedAdapter) -> [UInt8] {
        guard let descriptor = unsafe adapter.descriptor else { return [] }
        return unsafe Array(
            UnsafeRawBufferPointer(start: descriptor, count: MemoryLayout<meter_descriptor>.size))
    }
}
