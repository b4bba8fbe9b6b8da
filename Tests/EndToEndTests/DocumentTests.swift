import Foundation
import TestSupport
import Testing

@Suite("What the documents say is what the program does")
struct DocumentTests {
    @Test("The README's table of settings is what the program declares")
    func settingsTable() throws {
        let readme = try text("README.md")
        let table = try HostProcess.command(["config", "--table"], settings: [:]).output
        #expect(table.contains("METER_TYPE"))
        #expect(readme.contains(table), "run tools/readme-settings.sh")
    }

    @Test("The document of the checks for adapters has the table that the program has")
    func checkTable() throws {
        let table = try HostProcess.command(["check", "--table"], settings: [:]).output
        #expect(table.contains("life-memory"))
        #expect(try text("docs/adapter-checks.md").contains(table), "run tools/adapter-checks.sh")
    }

    @Test("Each variable of .env.example is a setting")
    func exampleEnvironment() throws {
        let known = try HostProcess.command(["config"], settings: [:]).output
            .split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) }
        let used = try text(".env.example").split(separator: "\n").compactMap { line -> String? in
            let sides = line.drop { $0 == "#" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = sides.first, sides.count == 2, name.allSatisfy({ $0.isUppercase || $0 == "_" }) else {
                return nil
            }
            return String(name)
        }
        #expect(used.count > 10)
        for name in used { #expect(known.contains(name), "\(name)") }
    }

    private func text(_ file: String) throws -> String {
        try String(contentsOf: Checkout.root.appendingPathComponent(file), encoding: .utf8)
    }
}
