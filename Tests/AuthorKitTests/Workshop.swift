import Foundation
import TestSupport

/// A folder in which an author works: with the program, compilers and nothing of this repository in reach.
final class Workshop: Sendable {
    let folder: TemporaryDirectory
    private let program: String
    private let settings: [String: String]

    /// - Parameter program: the folder of the smart-meter that is in the author's PATH; nil = the one that was built.
    init(program: String? = nil, settings: [String: String] = [:]) throws {
        folder = try TemporaryDirectory("author")
        self.program = program ?? Checkout.products.path
        self.settings = settings
    }

    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs a script of the shell, which ends at its first command that fails.
    @discardableResult
    func run(_ script: String, in directory: String = "", within seconds: Double = 300) throws -> Outcome {
        let inherited = ProcessInfo.processInfo.environment
        var environment = [
            "PATH": "\(program):\(inherited["PATH"] ?? "/usr/bin:/bin"):/opt/swift/usr/bin",
            "HOME": inherited["HOME"] ?? folder.path, "DATA_DIR": folder.file("data").path, "TZ": "UTC",
            "SWIFT_BACKTRACE": "enable=no",
        ]
        for name in ["RUSTUP_HOME", "CARGO_HOME", "RUSTUP_TOOLCHAIN"] { environment[name] = inherited[name] }
        let shell = try ChildProcess(
            "/bin/bash", ["-euc", script], environment: environment.merging(settings) { $1 }, logs: folder,
            name: "shell",
            directory: directory.isEmpty ? folder.path : folder.file(directory).path)
        let status = try shell.waitForEnd(within: seconds)
        return Outcome(status: status, output: shell.output, errors: shell.errors)
    }

    /// As `run`, where the script has to succeed.
    @discardableResult
    func succeed(_ script: String, in directory: String = "", within seconds: Double = 300) throws -> String {
        let outcome = try run(script, in: directory, within: seconds)
        guard outcome.status == 0 else {
            throw FixtureError(
                "\(script.prefix(200)) ended with \(outcome.status):\n\(outcome.output.suffix(3000))\n"
                    + "\(outcome.errors.suffix(3000))")
        }
        return outcome.output
    }

    /// What a library shows to the dynamic linker.
    func exports(_ library: String) throws -> [String] {
        try succeed("nm -D --defined-only --extern-only --format=just-symbols \(library)")
            .split(separator: "\n").map(String.init)
    }
}
