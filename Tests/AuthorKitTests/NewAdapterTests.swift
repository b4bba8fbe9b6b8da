import Foundation
import TestSupport
import Testing

/// `smart-meter new-adapter`.
@Suite struct NewAdapterTests {
    private let workshop: Workshop

    init() throws { workshop = try Workshop() }

    private func files(_ project: String) throws -> [String] {
        try workshop.succeed("find . -type f | sort", in: project).split(separator: "\n").map {
            String($0.dropFirst(2))
        }
    }

    @Test(
        "The name stands wherever a project has one, and no template's name is left", arguments: ["c", "swift", "rust"])
    func named(_ language: String) throws {
        try workshop.succeed("smart-meter new-adapter attic_fan_2 --language \(language)")
        let words = try workshop.succeed("grep -rn -i 'my_meter\\|my meter' . || true", in: "attic_fan_2")
        #expect(words.isEmpty, "\(words)")
        let found = try workshop.succeed("grep -rl 'ATTIC_FAN_2_WATTS' . | wc -l", in: "attic_fan_2")
        #expect(Int(found.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 >= 2)
        #expect(try files("attic_fan_2").contains(".gitignore"))
        #expect(try workshop.succeed("cat README.md", in: "attic_fan_2").contains("Where to go on"))
    }

    @Test("The commands that it prints are those that work")
    func advice() throws {
        let words = try workshop.succeed("smart-meter new-adapter garden --language c")
        let commands = words.split(separator: "\n").filter { $0.hasPrefix("  ") }
        #expect(commands.count == 5)
        let output = try workshop.succeed(commands.joined(separator: "\n"))
        #expect(output.contains("total (consumption)  250.0 W") && output.contains(" 0 failed"))
    }

    @Test("Header, AdapterKit and fake host are this repository's own, all of their files, byte by byte")
    func copies() throws {
        try workshop.succeed("smart-meter new-adapter a --language swift --directory here")
        for language in ["c", "rust"] {
            try workshop.succeed("smart-meter new-adapter a --language \(language) --directory \(language)")
            try workshop.succeed(
                "cmp \(language)/meter_adapter.h '\(Checkout.root.path)/Sources/AdapterABI/include/meter_adapter.h'")
        }
        // Whatever is not copied or not the same is said.
        try workshop.succeed(
            """
            diff -r here/Sources/AdapterABI '\(Checkout.root.path)/Sources/AdapterABI'
            diff -r here/Sources/AdapterKit '\(Checkout.root.path)/Sources/AdapterKit'
            diff -r -x Network.swift here/Tests/FakeHost '\(Checkout.root.path)/Tests/FakeHost'
            """)
    }

    @Test("Each file of the templates is a file of a project")
    func complete() throws {
        for language in ["c", "swift", "rust"] {
            try workshop.succeed("smart-meter new-adapter my_meter --language \(language) --directory \(language)")
            let template = Checkout.root.appendingPathComponent("Sources/AuthorKit/templates/\(language)").path
            try workshop.succeed("mv \(language)/.gitignore \(language)/gitignore")
            let missing = try workshop.succeed(
                "diff -r '\(template)' \(language) | grep -v \"^Only in \(language)\" || true")
            #expect(missing.isEmpty, "\(missing)")
        }
    }

    @Test(
        "A name that cannot be used is refused with a reason, and nothing is written",
        arguments: [
            ("mock", "is an adapter of the release"), ("http_json", "is an adapter of the release"),
            ("home", "home_assistant"), ("mock_two", "mock"), ("influxdb", "INFLUXDB_"), ("all", "not a meter type"),
            ("Garden", "not a meter type"), ("1st", "not a meter type"), ("a-b", "not a meter type"),
            ("../up", "not a meter type"), ("a/b", "not a meter type"), ("''", "not a meter type"),
            (String(repeating: "x", count: 33), "longer than 32"),
        ])
    func badName(_ name: String, _ reason: String) throws {
        let outcome = try workshop.run("smart-meter new-adapter \(name) --language c")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(reason), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(
            try workshop.succeed("ls").split(separator: "\n").filter { !$0.hasPrefix("shell.") && $0 != "data" } == [])
    }

    @Test(
        "A command line that says too little is told what is missing",
        arguments: ["new-adapter", "new-adapter a", "new-adapter a --language perl", "new-adapter a b --language c"])
    func badCommand(_ words: String) throws {
        let outcome = try workshop.run("smart-meter \(words)")
        #expect(outcome.status == 64)
        #expect(!outcome.errors.isEmpty)
    }

    @Test("What is there is never overwritten, be it a project, an empty folder, a file or a link")
    func existing() throws {
        try workshop.succeed(
            "smart-meter new-adapter a --language c && echo mine > a/a.c && mkdir b && touch c && ln -s a d")
        for place in ["a", "b", "c", "d"] {
            let outcome = try workshop.run("smart-meter new-adapter a --language rust --directory \(place)")
            #expect(outcome.status == 73)
            #expect(outcome.errors.contains("is there already"))
        }
        #expect(try workshop.succeed("cat a/a.c; ls b; cat c") == "mine\n")
    }

    @Test(
        "Where a file cannot be written, what was made is taken away again", .enabled(if: SmallDisk.isPossible))
    func fullDisk() throws {
        let disk = try SmallDisk(megabytes: 1, inodes: 12)
        let outcome = try workshop.run("smart-meter new-adapter a --language swift --directory '\(disk.path)/a'")
        #expect(outcome.status == 73)
        #expect(outcome.errors.contains("No space left"), "\(outcome.errors)")
        #expect(try workshop.succeed("ls '\(disk.path)'") == "")
    }
}
