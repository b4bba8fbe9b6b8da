import AdapterABI
import FakeHost
import Testing

/// What a library made with the kit says to the host that loads it.
@Suite struct ExportTests {
    @Test("Another major, and while the major is 0 another minor, is answered with NULL")
    func otherVersions() {
        let versions: [UInt32] = [0, 2, 1 << 16 | 1, 2 << 16, 9 << 16, .max]
        for version in versions where meter_serves(version) == 0 {
            #expect(unsafe ScriptedLibrary.enter(version) == nil, "\(version)")
        }
    }

    @Test("Every call of the entry point answers the same library")
    func sameLibrary() throws {
        let library = try unsafe #require(ScriptedLibrary.enter())
        #expect(unsafe ScriptedLibrary.enter() == library)
        #expect(unsafe library.pointee.magic == METER_MAGIC)
        #expect(unsafe library.pointee.descriptor_count == 2)
        #expect(unsafe Int(library.pointee.struct_size) == MemoryLayout<meter_library>.size)
    }

    @Test("A descriptor says what the Swift one says, times in nanoseconds")
    func descriptor() throws {
        let descriptor = try unsafe AdapterUnderTest(ScriptedLibrary.enter()).descriptor.pointee
        #expect(unsafe String(copying: descriptor.meter_type) == "scripted")
        #expect(unsafe String(copying: descriptor.name) == "Scripted \u{00E4}")
        #expect(unsafe String(copying: descriptor.vendor) == "")
        #expect(unsafe descriptor.delivery == METER_DELIVERY_PULL)
        #expect(unsafe descriptor.requests_per_day == 100)
        #expect(unsafe descriptor.default_sampling_ns == 10_000_000_000)
        #expect(unsafe descriptor.minimum_sampling_ns == 100_000_000)
        #expect(unsafe descriptor.late_ns == 300_000_000_000)
        #expect(unsafe descriptor.setting_count == 5)
        #expect(unsafe Int(descriptor.setting_stride) == MemoryLayout<meter_setting>.stride)
        #expect(unsafe descriptor.settings[0].kind == METER_SETTING_CHOICE)
        #expect(unsafe String(copying: descriptor.settings[0].choices) == "empty,full")
        #expect(unsafe String(copying: descriptor.settings[3].default_value) == "1")
        #expect(unsafe descriptor.settings[4].required == 1)
    }

    @Test("A push adapter has no read, and one without extensions answers none")
    func pushDescriptor() throws {
        let descriptor = try unsafe AdapterUnderTest(ScriptedLibrary.enter(), index: 1).descriptor.pointee
        #expect(unsafe descriptor.delivery == METER_DELIVERY_PUSH)
        #expect(unsafe descriptor.read == nil)
        #expect(unsafe descriptor.extension == nil)
    }

    @Test("The extensions are those that the type conforms to")
    func extensions() throws {
        let descriptor = try unsafe AdapterUnderTest(ScriptedLibrary.enter()).descriptor.pointee
        for (id, isThere) in [(METER_HISTORY, true), (METER_LOGIN, true), ("meter.history/2", false), ("", false)] {
            let table = unsafe id.withCString { unsafe descriptor.extension?(meter_text_of($0)) }
            #expect(unsafe (table != nil) == isThere, "\(id)")
        }
    }
}
