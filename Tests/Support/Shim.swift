public import Foundation

/// A library for LD_PRELOAD that puts itself between a program and the system (`Tests/Shims`).
public enum Shim {
    /// Builds one into `folder`.
    public static func build(_ source: String, in folder: TemporaryDirectory) throws -> URL {
        let library = folder.file(source.replacingOccurrences(of: ".c", with: ".shim"))
        let compiler = try ChildProcess(
            "/usr/bin/gcc",
            [
                "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared",
                Checkout.root.appendingPathComponent("Tests/Shims/\(source)").path, "-o", library.path,
            ],
            environment: ["PATH": "/usr/bin:/bin"], logs: try TemporaryDirectory("gcc"), name: "gcc")
        guard try compiler.waitForEnd(within: 60) == 0 else { throw FixtureError("gcc: \(compiler.errors)") }
        return library
    }
}
