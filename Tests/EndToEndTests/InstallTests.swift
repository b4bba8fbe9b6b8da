import Foundation
import TestSupport
import Testing

@Suite("What make install leaves", .serialized)
struct InstallTests {
    private let folder: TemporaryDirectory
    private let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"

    init() throws { folder = try TemporaryDirectory("installed") }

    /// - Returns: what it printed.
    @discardableResult
    private func run(_ words: [String], _ environment: [String: String] = [:]) throws -> String {
        let child = try ChildProcess(
            "/usr/bin/env", words, environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }, logs: folder,
            name: UUID().uuidString, directory: folder.path)
        guard try child.waitForEnd(within: 120) == 0 else { throw FixtureError("\(words): \(child.errors)") }
        return child.output
    }

    /// As `make install` does it, from what the tests were built with, and then moved.
    private func install() throws {
        try run(
            [Checkout.root.appendingPathComponent("tools/install.sh").path],
            [
                "PATH": path, "DESTDIR": folder.file("stage").path, "PREFIX": "/opt/meter",
                "BUILD": Checkout.products.path,
            ])
        try FileManager.default.moveItem(at: folder.file("stage/opt/meter"), to: folder.file("tree"))
    }

    @Test("The example in C is built with the installed tree alone, by hand and by its Makefile, and read by its host")
    func exampleInC() throws {
        try install()
        let search = ["PKG_CONFIG_PATH": folder.file("tree/lib/pkgconfig").path]
        let flags = try run(["pkg-config", "--cflags", "smart-meter-adapter"], search)
            .split(whereSeparator: \.isWhitespace).map(String.init)
        let include = try #require(flags.first)
        #expect(flags.count == 1 && include.hasPrefix("-I\(folder.path)/tree/"))
        #expect(try run(["pkg-config", "--modversion", "smart-meter-adapter"], search) == "1.0\n")

        let example = folder.file("example")
        try FileManager.default.copyItem(at: folder.file("tree/share/doc/smart-meter/Examples/c"), to: example)
        try run(["make", "-C", example.path], search)
        try FileManager.default.createDirectory(at: folder.file("adapters"), withIntermediateDirectories: true)
        let library = folder.file("adapters/file.so").path
        try run(
            [
                "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-fvisibility=hidden", "-shared",
                include, example.appendingPathComponent("file_meter.c").path, "-o", library,
            ])
        try folder.write("watts", "412.5\n")
        for adapters in [folder.file("adapters"), example] {
            let reading = try run(
                [folder.file("tree/bin/smart-meter").path, "read"],
                [
                    "METER_TYPE": "file", "FILE_PATH": folder.file("watts").path, "ADAPTER_PATH": adapters.path,
                    "DATA_DIR": folder.file("data").path,
                ])
            #expect(reading.contains("412.5"), "\(reading)")
        }
    }

    @Test("It needs nothing of Swift from elsewhere, and its documents lead to each other")
    func complete() throws {
        try install()
        let runner = folder.file("tree/bin/smart-meter").path
        #expect(try run([runner, "adapters"], ["DATA_DIR": folder.file("data").path]).contains("home_assistant  "))
        let swift = try run(["ldd", runner]).split(separator: "\n").filter { $0.contains("libswift") }
        #expect(!swift.isEmpty)
        for line in swift { #expect(line.contains("\(folder.path)/tree/"), "\(line)") }
        let documents = folder.file("tree/share/doc/smart-meter")
        var links = 0
        for file in try #require(FileManager.default.enumerator(at: documents, includingPropertiesForKeys: nil)) {
            guard let document = file as? URL, document.pathExtension == "md" else { continue }
            let text = try String(contentsOf: document, encoding: .utf8)
            for link in text.matches(of: #/\]\(([^)#:\s]+)(?:#[^)]*)?\)/#) {
                let target = document.deletingLastPathComponent().appendingPathComponent(String(link.1))
                #expect(FileManager.default.fileExists(atPath: target.path), "\(document.path): \(link.1)")
                links += 1
            }
        }
        #expect(links > 30)
    }
}
