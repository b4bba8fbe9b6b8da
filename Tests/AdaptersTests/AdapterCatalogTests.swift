import Configuration
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Adapters

/// What is found in directories, and what is refused and why. The libraries are compiled by the test.
@Suite(.serialized) struct AdapterCatalogTests {
    private let release: TemporaryDirectory
    private let dropped: TemporaryDirectory

    init() throws {
        release = try TemporaryDirectory("release")
        dropped = try TemporaryDirectory("dropped")
    }

    private var catalog: AdapterCatalog {
        get throws { try ShelfRig.catalog(release: release.path, directories: [dropped.path]) }
    }

    /// Why the only file that was dropped is refused.
    private func refusal() throws -> String {
        let catalog = try catalog
        #expect(catalog.adapters.isEmpty)
        #expect(catalog.refused.count == 1)
        return try #require(catalog.refused.first).reason
    }

    @Test func `an adapter's own words are copied out of its library`() throws {
        try CAdapter.build("scripted.c", as: "scripted.so", in: dropped)
        let catalog = try catalog
        #expect(catalog.refused.isEmpty)
        #expect(catalog.adapters.map(\.description.meterType) == ["scripted", "pushing"])
        let adapter = try #require(catalog.adapter(ofType: "scripted"))
        #expect(adapter.path == dropped.file("scripted.so").path)
        #expect(adapter.description.name == "Scripted")
        #expect(adapter.description.version == "1.0")
        #expect(adapter.description.defaultSampling == 100_000_000)
        #expect(adapter.description.minimumSampling == 10_000_000)
        #expect(adapter.description.late == 60_000_000_000)
        #expect(adapter.description.settings.map(\.name) == ["mode", "gate", "url"])
    }

    /// A statement that spoils the library, and a word of the reason.
    private static let defects: [(statement: String, word: String)] = [
        ("return 0", "does not serve"),
        ("missing_function()", "missing_function"),
        ("library.magic = 1", "METER_MAGIC"),
        ("library.abi_major = 9", "ABI 9."),
        ("library.abi_major = 0, library.abi_minor = 77", "ABI 0.77"),
        ("library.struct_size = 8", "meter_library"),
        ("library.descriptor_count = 0", "meter_library"),
        ("library.descriptor_count = 4000000000u", "meter_library"),
        ("library.descriptors = 0", "meter_library"),
        ("library.descriptor_count = 2", "twice"),
        ("descriptors[0] = 0", "NULL"),
        ("descriptors[0] = (const meter_descriptor *)((const char *)&descriptor + 1)", "aligned"),
        ("descriptor.magic = 0", "METER_MAGIC"),
        ("descriptor.abi_major = 3", "ABI 3."),
        ("descriptor.struct_size = 64", "too short"),
        ("descriptor.meter_type.length = 0", "meter type"),
        ("descriptor.meter_type = meter_text_of(\"../../x\")", "meter type"),
        ("descriptor.meter_type = meter_text_of(\"Broken\")", "meter type"),
        ("descriptor.meter_type = meter_text_of(\"all\")", "meter type"),
        ("descriptor.meter_type = meter_text_of(\"influxdb\")", "INFLUXDB"),
        ("descriptor.meter_type = meter_text_of(\"a23456789012345678901234567890123\")", "32"),
        ("descriptor.name.length = 0", "name"),
        ("descriptor.name.data = 0", "name"),
        ("descriptor.name.length = 4294967295u", "name"),
        ("descriptor.name = meter_text_of(\"\\xff\\xfe\")", "name"),
        ("descriptor.name = meter_text_of(\"two\\nlines\")", "name"),
        ("descriptor.version.length = 0", "version"),
        ("descriptor.delivery = 7", "delivery"),
        ("descriptor.delivery = METER_DELIVERY_PUSH", "delivery"),
        ("descriptor.create = 0", "function"),
        ("descriptor.start = 0", "function"),
        ("descriptor.read = 0", "function"),
        ("descriptor.stop = 0", "function"),
        ("descriptor.destroy = 0", "function"),
        ("descriptor.minimum_sampling_ns = 0", "duration"),
        ("descriptor.minimum_sampling_ns = -1", "duration"),
        ("descriptor.default_sampling_ns = INT64_MAX", "duration"),
        ("descriptor.late_ns = -1", "duration"),
        ("descriptor.settings = 0", "settings"),
        ("descriptor.setting_count = 100000", "settings"),
        ("descriptor.setting_stride = 8", "settings"),
        ("descriptor.setting_stride = 76", "settings"),
        ("settings[1] = settings[0]", "setting 2"),
        ("settings[0].name = meter_text_of(\"PATH\")", "setting 1"),
        ("settings[0].name.length = 0", "setting 1"),
        ("settings[0].help.length = 0", "setting 1"),
        ("settings[1].kind = 99", "setting 2"),
        ("settings[1].kind = METER_SETTING_CHOICE", "setting 2"),
        ("settings[0].kind = METER_SETTING_NUMBER, settings[0].default_value = meter_text_of(\"abc\")", "first"),
    ]

    @Test func `a library that breaks a rule is refused with a reason that names it`() throws {
        for (index, defect) in Self.defects.enumerated() {
            try CAdapter.build("broken.c", as: "broken\(index).so", in: dropped, macros: ["DEFECT=\(defect.statement)"])
        }
        let catalog = try catalog
        #expect(catalog.adapters.isEmpty)
        for (index, defect) in Self.defects.enumerated() {
            let path = dropped.file("broken\(index).so").path
            let reason = try #require(catalog.refused.first { $0.path == path }, "\(defect.statement)").reason
            #expect(reason.contains(defect.word), "\(defect.statement): \(reason)")
            #expect(!reason.contains("\n"))
        }
    }

    @Test func `without its defect the same library is an adapter`() throws {
        try CAdapter.build("broken.c", as: "broken.so", in: dropped)
        #expect(try catalog.adapters.map(\.description.meterType) == ["broken"])
    }

    @Test func `a library without the entry is refused, and the reason names the symbol`() throws {
        try CAdapter.build(as: "symbol.so", in: dropped, macros: ["ENTRY=another_entry"])
        #expect(try refusal().contains("meter_adapter_entry"))
    }

    @Test func `a text file, a directory and a pipe are refused, and nothing waits for them`() throws {
        try dropped.write("text.so", "not a library")
        try FileManager.default.createDirectory(at: dropped.file("directory.so"), withIntermediateDirectories: true)
        #expect(unsafe mkfifo(dropped.file("pipe.so").path, 0o600) == 0)
        try dropped.write("notes.txt", "no adapter, and not meant to be one")
        let refused = Dictionary(uniqueKeysWithValues: try catalog.refused.map { ($0.path, $0.reason) })
        #expect(refused.count == 3)
        #expect(refused[dropped.file("text.so").path]?.contains("ELF") == true)
        #expect(refused[dropped.file("directory.so").path]?.contains("regular file") == true)
        #expect(refused[dropped.file("pipe.so").path]?.contains("regular file") == true)
    }

    @Test func `a type of the release cannot be taken over, and who has it is named`() throws {
        try CAdapter.build(as: "constant.so", in: release)
        try CAdapter.build(as: "another.so", in: dropped)
        let catalog = try catalog
        #expect(catalog.adapters.map(\.path) == [release.file("constant.so").path])
        let refused = try #require(catalog.refused.first)
        #expect(refused.path == dropped.file("another.so").path)
        #expect(refused.reason.contains(release.file("constant.so").path))
    }

    @Test func `of two that claim one type the first by name has it, and each other file is named`() throws {
        for name in ["c.so", "a.so", "b.so"] { try CAdapter.build(as: name, in: dropped) }
        let catalog = try catalog
        #expect(catalog.adapters.map(\.path) == [dropped.file("a.so").path])
        #expect(Set(catalog.refused.map(\.path)) == [dropped.file("b.so").path, dropped.file("c.so").path])
        #expect(catalog.refused.allSatisfy { $0.reason.contains("a.so has it") })
    }

    @Test func `a type whose variables could be mistaken for another's is refused`() throws {
        try CAdapter.build(as: "constant.so", in: release)
        try CAdapter.build(as: "longer.so", in: dropped, macros: ["METER_TYPE_NAME=\"constant_load\""])
        let catalog = try catalog
        #expect(catalog.adapters.count == 1)
        #expect(catalog.refused.first?.reason.contains("constant") == true)
    }

    @Test func `a directory that is named twice is searched once, one that is not there is named`() throws {
        try CAdapter.build(as: "constant.so", in: release)
        let catalog = try ShelfRig.catalog(
            release: release.path, directories: [release.path, dropped.path, dropped.path, "/nowhere/at/all"])
        #expect(catalog.adapters.count == 1)
        #expect(catalog.refused.map(\.path) == ["/nowhere/at/all"])
    }
}
