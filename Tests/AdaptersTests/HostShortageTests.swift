import Configuration
import Foundation
import Glibc
import Observability
import Platform
import Readings
import TestSupport
import Testing

@testable import Adapters

/// What says nothing about an adapter's file: that the machine could not look at it.
@Suite(.serialized) struct HostShortageTests {
    private let folder: TemporaryDirectory
    private let dropped: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory("shortage")
        dropped = try TemporaryDirectory("dropped")
    }

    /// Processes are started through a script: what it does first, the machine does.
    private func loader(_ first: String, staging: String? = nil) throws -> AdapterLoader {
        let program = Checkout.product("smart-meter")
        let script = try folder.write("program", "#!/bin/sh\n\(first)\nexec \(program) \"$@\"\n").path
        #expect(unsafe chmod(script, 0o755) == 0)
        return AdapterLoader(
            staging: try StagingArea(staging ?? folder.file("staging").path),
            spawner: try RunnerSpawner(program: script, environment: [:]), isolation: .auto, secret: [],
            log: try Log(level: .error))
    }

    private func build(_ macros: [String] = [], _ options: [String] = []) throws {
        try CAdapter.build("hostile.c", as: "one.so", in: dropped, macros: macros, options: options)
    }

    /// What is objected to the one file; nil = nothing.
    private func fault(
        _ loader: AdapterLoader, patience: Int64 = RunnerLaunch.usualPatience
    ) -> LibraryObjection? {
        do throws(LibraryObjection) {
            _ = try loader.load("one.so", in: dropped.path, isRelease: false, patience: patience)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a process that was killed, or that could not get ready, says nothing about the file`() throws {
        try build()
        #expect(fault(try loader("kill -9 $$"))?.shortage == .memory)
        #expect(fault(try loader("exit 3"))?.shortage == .other)
        #expect(fault(try loader("true")) == nil)
        // As the kernel does it where memory runs out while the library is loaded.
        try build(["IN_CONSTRUCTOR=kill(getpid(),SIGKILL)"])
        let killed = try #require(fault(try loader("true")))
        #expect(killed.shortage == .memory)
        #expect(killed.reason.hasPrefix("SIGKILL in meter_adapter_entry"))
    }

    @Test func `a process that cannot be started says nothing about the file`() throws {
        try build()
        let loader = AdapterLoader(
            staging: try StagingArea(folder.file("staging").path),
            spawner: try RunnerSpawner(program: "/nowhere/at/all", environment: [:]), isolation: .auto, secret: [],
            log: try Log(level: .error))
        let objection = try #require(fault(loader))
        #expect(objection.shortage == .other)
        #expect(objection.reason.hasPrefix("it could not be started: posix_spawn"))
    }

    @Test func `memory that the machine has not is waited for, memory that no process gets is not`() throws {
        // That the loader maps.
        func build(megabytes: Int) throws {
            let source = try folder.write("large.c", "char large[\(megabytes)u << 20];\n").path
            try self.build([], [source])
        }
        try build(megabytes: 500)
        let refused = try #require(fault(try loader("ulimit -v 400000")))
        #expect(refused.shortage == .memory, "\(refused.reason)")
        #expect(refused.reason.hasPrefix("it does not load: "))
        #expect(fault(try loader("true")) == nil)
        try build(megabytes: 600)
        let tooLarge = try #require(fault(try loader("true")))
        #expect(tooLarge.shortage == nil)
        #expect(tooLarge.reason.hasPrefix("it wants 60") && tooLarge.reason.hasSuffix("has 512 MB at most"))
    }

    @Test func `a library that takes long is loaded where it has the time`() throws {
        try build(["IN_CONSTRUCTOR=usleep(600000)"])
        #expect(fault(try loader("true"), patience: Duration.second / 5)?.shortage == .time)
        #expect(fault(try loader("true")) == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "a disk of its own needs root"))
    func `a disk without room for a copy, or that nothing is run from, says nothing about the file`() throws {
        let disk = try SmallDisk(megabytes: 1)
        let source = try folder.write("large.c", "char large[2u << 20] = {1};\n").path
        try build([], [source])
        let full = try #require(fault(try loader("true", staging: disk.path + "/staging")))
        #expect(full.shortage == .room, "\(full.reason)")
        #expect(unsafe mount(nil, disk.path, nil, UInt(MS_REMOUNT | MS_NOEXEC), nil) == 0)
        let unusable = try #require(fault(try loader("true", staging: disk.path + "/staging")))
        #expect(unusable.shortage == .other && unusable.reason.hasSuffix("is mounted noexec"))
    }

    @Test func `what a file is at fault for is no shortage`() throws {
        try build(["IN_ENTRY=crash()"])
        #expect(fault(try loader("true"))?.shortage == nil)
        try build(["IN_CONSTRUCTOR=_exit(7)"])
        #expect(fault(try loader("true"))?.shortage == nil)
        try build(["NEEDS_WHAT_IS_MISSING"])
        #expect(fault(try loader("true"))?.shortage == nil)
        try dropped.write("one.so", "not a library")
        #expect(fault(try loader("true"))?.shortage == nil)
    }

    @Test(arguments: [
        ("/x.so: cannot open shared object file: Too many open files", HostShortage.descriptors),
        ("/x.so: failed to map segment from shared object: Cannot allocate memory", .memory),
        ("/x.so: cannot read file data: Input/output error", .device),
        ("/x.so: failed to map segment from shared object", .memory), ("out of memory", .memory),
        ("libx.so.1: cannot open shared object file: No such file or directory", nil),
        ("/x.so: cannot allocate memory in static TLS block", nil),
        ("/x.so: undefined symbol: Input", nil),
    ]) func `the loader's last words tell what was missing`(words: String, shortage: HostShortage?) {
        #expect(HostShortage(loaderWords: words) == shortage)
    }

    @Test func `a file that could not be looked at is tried again by itself, and found once the machine is well`()
        throws
    {
        try build()
        let well = folder.file("well").path
        let shelf = try AdapterShelf(
            release: folder.file("release").path, directories: [dropped.path],
            loader: try loader("[ -e \(well) ] || kill -9 $$"), watches: true)
        func tend(_ what: String, until isThere: (AdapterCatalog) -> Bool) throws {
            try waitUntil(what, within: 20) {
                let wake = shelf.tend().wake
                if isThere(shelf.catalog) { return true }
                _ = Poll.readable(shelf.bell.number, until: min(wake, Clock.monotonic() + Duration.second / 10))
                return false
            }
        }
        try tend("the wait") { !$0.waiting.isEmpty }
        let wait = try #require(shelf.catalog.waiting.first)
        #expect(wait.path == dropped.file("one.so").path)
        #expect(wait.advice == HostShortage.memory.advice)
        #expect(shelf.catalog.refused.isEmpty)
        #expect(!shelf.catalog.isComplete, "a few tries are waited for")
        // Who waits for the catalog gets it all the same.
        let deadline = Clock.monotonic() + 15 * Duration.second
        let catalog = shelf.complete(until: deadline)
        #expect(catalog.isComplete && catalog.waiting == [wait])
        #expect(FileManager.default.createFile(atPath: well, contents: nil))
        try tend("the adapter") { !$0.adapters.isEmpty }
        #expect(shelf.catalog.waiting.isEmpty)
    }
}
