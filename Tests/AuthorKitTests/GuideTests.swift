import Foundation
import TestSupport
import Testing

/// docs/writing-an-adapter.md is followed to the letter: its commands are run, its code is compiled.
@Suite(.serialized) struct GuideTests {
    private let guide: Guide
    private static let wholeReading = "total (consumption)  412.5 W"
    /// What `smart-meter check` says at its end, after how many passed.
    private static let flawless = " passed, 0 failed, 0 crashed, 0 warnings, "

    init() throws { guide = try Guide() }

    @Test("Every code block is of a kind that is compiled, run, or marked as text")
    func nothingIsLeftOut() {
        let kinds = Set(guide.blocks.map(\.kind))
        #expect(
            kinds == ["c", "swift", "swift test", "rust", "sh c", "sh swift", "sh rust", "sh installed", "text"])
    }

    @Test(
        "In C: the project builds, passes its test and the checker, and is read; each piece of code compiles without a warning"
    )
    func inC() throws {
        let workshop = try Workshop()
        let output = try workshop.succeed(guide.script("c"))
        #expect(output.contains(Self.wholeReading) && output.contains(Self.flawless), "\(output.suffix(2000))")
        #expect(try workshop.exports("garden_meter/libsmartmeter-garden_meter.so") == ["meter_adapter_entry"])
        let blocks = guide.blocks("c")
        #expect(blocks.count >= 6)
        for block in blocks {
            let prelude = """
                #include "meter_adapter.h"
                #include <string.h>
                struct meter_instance { const meter_host *host; };

                """
            try workshop.folder.write(
                "block.c", prelude + "#line \(block.line + 1) \"writing-an-adapter.md\"\n" + block.text)
            try workshop.succeed(
                "cc -std=c11 -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -Igarden_meter block.c")
        }
    }

    @Test(
        "In Swift: the project builds, passes its test and the checker, and is read; each piece of code compiles without a warning"
    )
    func inSwift() throws {
        let workshop = try Workshop()
        // The guide's pieces go into the project before it is built: once is slow enough.
        let script = guide.script("swift").components(separatedBy: "cd garden_meter\n")
        try #require(script.count == 2)
        try workshop.succeed(script[0])
        let blocks = guide.blocks("swift")
        #expect(blocks.count >= 5)
        for (number, block) in blocks.enumerated() {
            try workshop.folder.write(
                "garden_meter/Sources/Adapter/Guide\(number).swift", "import AdapterKit\n\(block.text)")
        }
        for (number, block) in guide.blocks("swift test").enumerated() {
            try workshop.folder.write("garden_meter/Tests/AdapterTests/Guide\(number).swift", block.text)
        }
        let output = try workshop.succeed("{ \(script[1]) } 2>&1", in: "garden_meter")
        #expect(output.contains(Self.wholeReading) && output.contains(Self.flawless), "\(output.suffix(2000))")
        #expect(!output.contains("warning:"), "\(output.suffix(2000))")
        for test in ["It says the watts of its setting", "A refused token is said by the name of its setting"] {
            #expect(output.contains("\(test)\" passed"))
        }
        let library = "garden_meter/.build/debug/libsmartmeter-garden_meter.so"
        #expect(try workshop.exports(library) == ["meter_adapter_entry"])
        let needed = try workshop.succeed("readelf -d \(library)")
        #expect(needed.contains("NEEDED") && !needed.contains("libswift"), "\(needed)")
    }

    @Test(
        "In Rust: the project builds, passes its test and the checker, and is read; each piece of code compiles without a warning"
    )
    func inRust() throws {
        let workshop = try Workshop()
        let run = try workshop.succeed(guide.script("rust"))
        #expect(run.contains(Self.wholeReading) && run.contains(Self.flawless), "\(run.suffix(2000))")
        #expect(
            try workshop.exports("garden_meter/target/debug/libsmartmeter_garden_meter.so") == ["meter_adapter_entry"])
        let blocks = guide.blocks("rust")
        #expect(blocks.count >= 4)
        let library = workshop.folder.file("garden_meter/src/lib.rs")
        var text = try String(contentsOf: library, encoding: .utf8)
        for (number, block) in blocks.enumerated() {
            text += "\n#[allow(dead_code, unused_imports)]\nmod guide_\(number);\n"
            try workshop.folder.write(
                "garden_meter/src/guide_\(number).rs", "use crate::abi::*;\nuse crate::kit::*;\n\(block.text)")
        }
        try workshop.folder.write("garden_meter/src/lib.rs", text)
        let output = try workshop.succeed("cargo check --offline 2>&1", in: "garden_meter")
        #expect(!output.contains("warning"), "\(output.suffix(2000))")
    }

    @Test("The guide's meter in Rust that keeps a log passes every check of history, and is logged in to")
    func historyInRust() throws {
        let workshop = try Workshop()
        let block = try #require(guide.blocks("rust").first { $0.text.contains("impl History for") })
        try workshop.succeed("smart-meter new-adapter logging_meter --language rust")
        try workshop.folder.write(
            "logging_meter/src/lib.rs",
            "mod abi;\nmod kit;\nuse abi::*;\nuse kit::*;\n\(block.text)\nexport_adapter!(LoggingMeter);\n")
        try workshop.succeed("cargo build --offline", in: "logging_meter")
        let check = try workshop.succeed(
            "smart-meter check target/debug/libsmartmeter_logging_meter.so --only history", in: "logging_meter")
        // It asks nothing by HTTP, so one check has nothing to look at.
        #expect(check.contains("7\(Self.flawless)1 skipped"), "\(check)")
        let login = try workshop.succeed(
            """
            export METER_TYPE=logging_meter ADAPTER_PATH=$PWD/target/debug
            (sleep 1; echo 924613; sleep 1) | script -qec 'smart-meter login logging_meter' /dev/null
            """, in: "logging_meter")
        #expect(login.contains("The code that the cloud has sent") && login.contains("logged in"), "\(login)")
    }

    @Test("Against an installed tree alone, wherever it was moved to, an adapter in C builds and is read")
    func installed() throws {
        let prefix = try TemporaryDirectory("prefix")
        let maker = try Workshop(settings: ["BUILD": Checkout.products.path, "PREFIX": prefix.file("made").path])
        try maker.succeed("bash '\(Checkout.root.path)/tools/install.sh'")
        try FileManager.default.moveItem(at: prefix.file("made"), to: prefix.file("moved"))

        let moved = prefix.file("moved").path
        let workshop = try Workshop(program: "\(moved)/bin", settings: ["PKG_CONFIG_PATH": "\(moved)/lib/pkgconfig"])
        try workshop.succeed("smart-meter new-adapter garden_meter --language c && rm garden_meter/meter_adapter.h")
        let output = try workshop.succeed(guide.script("installed"), in: "garden_meter")
        #expect(output.contains(Self.wholeReading))
        #expect(output.contains(" T meter_adapter_entry\n"))
        #expect(try workshop.succeed("pkg-config --cflags smart-meter-adapter").contains("\(moved)/"))
    }
}
