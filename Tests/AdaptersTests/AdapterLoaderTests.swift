import Configuration
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Adapters

/// What a file has to be before an adapter is made of it, and where that then runs.
@Suite(.serialized) struct AdapterLoaderTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory("dropped") }

    private func load(
        _ name: String = "one.so", isRelease: Bool = false, _ isolation: HostSettings.Isolation = .auto
    ) throws -> [LoadedAdapter] {
        try ShelfRig.loader(isolation).load(name, in: folder.path, isRelease: isRelease).adapters
    }

    private func refusal(_ name: String = "one.so") throws -> String {
        do {
            _ = try load(name)
        } catch let objection as LibraryObjection {
            return objection.reason
        }
        throw FixtureError("\(name) was not refused")
    }

    private func build(_ macros: [String] = [], as name: String = "one.so", _ options: [String] = []) throws {
        try CAdapter.build("hostile.c", as: name, in: folder, macros: macros, options: options)
    }

    @Test func `what is dropped in runs in a process of its own, the release's own does where it needs no library`()
        throws
    {
        try build()
        #expect(try load().map(\.isIsolated) == [true])
        #expect(try load(isRelease: true).map(\.isIsolated) == [false])
        #expect(try load(isRelease: true, .always).map(\.isIsolated) == [true])
        try build(as: "needy.so", ["-Wl,--no-as-needed", "-lcurl"])
        #expect(try load("needy.so", isRelease: true).map(\.isIsolated) == [true])
    }

    @Test func `a library that dies, hangs or prints while it is loaded is refused, and the reason says what it did`()
        throws
    {
        try build(["IN_ENTRY=crash()"], as: "entry.so")
        #expect(try refusal("entry.so").hasPrefix("SIGSEGV in meter_adapter_entry"))
        #expect(try refusal("entry.so").contains("at meter_adapter_entry, offset 0x"))
        try build(["IN_CONSTRUCTOR=crash()"], as: "constructor.so")
        #expect(try refusal("constructor.so").hasPrefix("SIGSEGV in meter_adapter_entry, or what runs before it"))
        try build(["IN_CONSTRUCTOR=_exit(7)"], as: "exit.so")
        #expect(try refusal("exit.so").hasPrefix("exit with status 7"))
        try build(["IN_ENTRY=printf(\"hello\\n\")"], as: "talks.so")
        #expect(try load("talks.so").count == 1)
    }

    @Test func `a library that hangs while it is loaded is given up`() throws {
        try build(["IN_CONSTRUCTOR=sleep_for_ever()"])
        #expect(try refusal().hasSuffix("did not return within 10 s"))
    }

    @Test func `what a library needs has to be there`() throws {
        try build(["NEEDS_WHAT_IS_MISSING"])
        #expect(try refusal().contains("function_of_a_missing_library"))
        try build(["OF_THE_FUTURE"], as: "future.so")
        #expect(try refusal("future.so").contains("ABI 9."))
        try build(["METER_TYPE_NAME=\"../../x\""], as: "path.so")
        #expect(try refusal("path.so").contains("../../x is not a meter type"))
    }

    @Test func `a library that brings neither Swift's runtime nor its neighbours along is refused`() throws {
        let mock = Checkout.products.appendingPathComponent("libsmartmeter-mock.so")
        try FileManager.default.copyItem(at: mock, to: folder.file("mock.so"))
        #expect(try refusal("mock.so").contains("-static-stdlib"))

        try CAdapter.build(as: "libneighbour.so", in: folder, macros: ["ENTRY=another"])
        try build(as: "needy.so", ["-Wl,--no-as-needed,-rpath,$ORIGIN", "-L\(folder.path)", "-lneighbour"])
        #expect(try refusal("needy.so").contains("libneighbour.so beside it"))
    }

    @Test func `whoever else can write to a file or its directory could run code: it is refused until that is mended`()
        throws
    {
        try build()
        let file = folder.file("one.so").path
        for (mode, isAllowed) in [(0o644, true), (0o646, false), (0o444, true), (0o666, false)] {
            #expect(unsafe chmod(file, mode_t(mode)) == 0)
            if isAllowed { #expect(try load().count == 1) } else { #expect(try refusal().contains("chmod go-w")) }
        }
        #expect(unsafe chmod(file, 0o644) == 0)
        #expect(unsafe chmod(folder.path, 0o777) == 0)
        #expect(try refusal() == "its directory can be written by others: chmod go-w")
        #expect(unsafe chmod(folder.path, 0o755) == 0)
        #expect(try load().count == 1)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
    func `a file of another user is refused`() throws {
        try build()
        #expect(unsafe chown(folder.file("one.so").path, 12_345, 0) == 0)
        #expect(try refusal().hasPrefix("it belongs to user 12345"))
        #expect(unsafe chown(folder.file("one.so").path, 0, 0) == 0)
        #expect(unsafe chown(folder.path, 12_345, 0) == 0)
        #expect(try refusal().hasPrefix("its directory belongs to user 12345"))
    }

    @Test func `a symbolic link may stay in its directory, and not leave it`() throws {
        let elsewhere = try TemporaryDirectory("elsewhere")
        try CAdapter.build("hostile.c", as: "real.so", in: elsewhere)
        try build(as: "real.so.1")
        #expect(unsafe symlink("real.so.1", folder.file("inside.so").path) == 0)
        #expect(try load("inside.so").count == 1)
        for (name, target) in [("absolute.so", elsewhere.file("real.so").path), ("up.so", "../../etc/passwd")] {
            #expect(unsafe symlink(target, folder.file(name).path) == 0)
            #expect(try refusal(name) == "it is a symbolic link out of its directory")
        }
        #expect(unsafe symlink("nowhere", folder.file("dangling.so").path) == 0)
        #expect(try refusal("dangling.so").contains("cannot be read"))
    }

    @Test func `a library is loaded from a copy, which goes with its last user`() throws {
        let staging = try TemporaryDirectory("staging")
        try staging.write("leftover.so", "of the run before")
        let area = try StagingArea(staging.path)
        func count() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: staging.path).count }
        #expect(try count() == 0)
        try build()
        var first: StagedLibrary? = try area.stage(AdapterFile("one.so", in: folder.path, isTrusted: false))
        let digest = try #require(first?.digest)
        #expect(digest.count == 64)
        let path = try #require(first?.path)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(contentsOf: folder.file("one.so")))
        // The same content is one copy.
        var second: StagedLibrary? = try area.stage(AdapterFile("one.so", in: folder.path, isTrusted: false))
        #expect(second?.path == path)
        #expect(try count() == 1)
        first = nil
        #expect(try count() == 1)
        second = nil
        #expect(try count() == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: staging.path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }
}
