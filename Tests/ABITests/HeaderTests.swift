import Foundation
import TestSupport
import Testing

/// The header alone is all that an adapter author needs, in C and in C++, with every warning on.
@Suite struct HeaderTests {
    struct Compiler: Sendable, CustomTestStringConvertible {
        var program: String
        var arguments: [String]
        var testDescription: String { "\(program) \(arguments[0])" }
    }

    static let compilers = [
        Compiler(program: "gcc", arguments: ["-std=c11", "-x", "c"]),
        Compiler(program: "clang", arguments: ["-std=c11", "-x", "c"]),
        Compiler(program: "g++", arguments: ["-std=c++17", "-x", "c++"]),
    ]

    @Test("The header compiles alone, without a warning or a padding byte", arguments: compilers)
    func compiles(_ compiler: Compiler) throws {
        let folder = try TemporaryDirectory("header")
        let source = try folder.write("alone.source", "#include \"meter_adapter.h\"\n")
        try expectSuccess(compiler, source, folder)
    }

    @Test("The compilers would notice a padding byte", arguments: compilers)
    func noticesPadding(_ compiler: Compiler) throws {
        let folder = try TemporaryDirectory("header")
        let source = try folder.write(
            "padded.source",
            "struct padded { char byte; double number; };\nunsigned long size = sizeof(struct padded);\n")
        let run = try run(compiler, source, folder)
        #expect(try run.waitForEnd(within: 60) != 0)
    }

    @Test("The helpers set a number and its bit, in C and in C++", arguments: compilers)
    func helpers(_ compiler: Compiler) throws {
        let folder = try TemporaryDirectory("header")
        let source = try folder.write(
            "helpers.source",
            """
            #include "meter_adapter.h"
            int use(void);
            int use(void) {
                meter_reading reading = meter_reading_make();
                meter_circuit circuit = meter_circuit_make("a", "A", METER_KIND_LOAD);
                meter_set_grid_power_w(&reading, 500);
                meter_set_voltage_v(&reading, 3, 230);
                meter_circuit_set_power_w(&circuit, 1);
                return reading.present == (METER_GRID_POWER | METER_VOLTAGE_3) && meter_text_is(circuit.id, "a");
            }
            """)
        try expectSuccess(compiler, source, folder)
    }

    private func expectSuccess(_ compiler: Compiler, _ source: URL, _ folder: TemporaryDirectory) throws {
        let run = try run(compiler, source, folder)
        #expect(try run.waitForEnd(within: 60) == 0, "\(run.errors)")
    }

    private func run(_ compiler: Compiler, _ source: URL, _ folder: TemporaryDirectory) throws -> ChildProcess {
        let include = Checkout.root.appendingPathComponent("Sources/AdapterABI/include").path
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return try ChildProcess(
            "/usr/bin/env",
            [compiler.program] + compiler.arguments + [
                "-Wall", "-Wextra", "-Wpadded", "-Werror", "-fsyntax-only", "-I", include, source.path,
            ],
            environment: ["PATH": "\(path):/opt/swift/usr/bin"], logs: folder, name: "compiler")
    }
}
