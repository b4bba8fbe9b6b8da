import Foundation
import Glibc
import Platform
import TestSupport
import Testing

@testable import Adapters

@Suite struct ELFCheckTests {
    private func objection(to file: URL) -> String? {
        do throws(LibraryObjection) {
            _ = try ELFCheck.needs(of: FileDescriptor(owning: unsafe open(file.path, O_RDONLY | O_CLOEXEC)))
            return nil
        } catch {
            return error.reason
        }
    }

    private func adapter(_ folder: TemporaryDirectory) throws -> [UInt8] {
        let library = try CAdapter.build(as: "good.so", in: folder)
        #expect(objection(to: library) == nil)
        return [UInt8](try Data(contentsOf: library))
    }

    private func objection(_ bytes: [UInt8], _ folder: TemporaryDirectory) throws -> String? {
        let file = folder.file("changed.so")
        try Data(bytes).write(to: file)
        return objection(to: file)
    }

    @Test func `a file that is cut off anywhere is refused`() throws {
        let folder = try TemporaryDirectory("elf")
        let bytes = try adapter(folder)
        for length in stride(from: 0, to: bytes.count - 1, by: max(1, bytes.count / 200)) {
            #expect(try objection(Array(bytes[..<length]), folder) != nil, "cut to \(length) of \(bytes.count)")
        }
        #expect(try objection(Array(bytes.dropLast()), folder) != nil)
    }

    @Test func `a file for another machine, of another kind or of no kind is refused`() throws {
        let folder = try TemporaryDirectory("elf")
        let bytes = try adapter(folder)
        for (place, value, word) in [
            (18, UInt8(0xB7 ^ bytes[18] == 0 ? 62 : 0xB7), "machine"), (4, 1, "64-bit"), (16, 1, "kind"),
        ] {
            var changed = bytes
            changed[place] = value
            let reason = try #require(try objection(changed, folder))
            #expect(reason.contains(word))
        }
        #expect(try objection(Array("#!/bin/sh\necho hello\n".utf8), folder)?.contains("ELF") == true)
        #expect(objection(to: folder.url) != nil)
        #expect(objection(to: folder.file("nothing.so")) != nil)
    }

    @Test func `headers with impossible extents are refused and not followed`() throws {
        let folder = try TemporaryDirectory("elf")
        let bytes = try adapter(folder)
        var random = SeededRandom(seed: 42)
        for _ in 0..<500 {
            var changed = bytes
            for _ in 0..<4 {
                changed[Int.random(in: 16..<120, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            // It answers; whatever it answers, it has not followed a wild offset.
            _ = try objection(changed, folder)
        }
    }
}
