public import Foundation

/// Adapters in C, compiled by a test from `Tests/Adapters` and the ABI's header alone.
public enum CAdapter {
    /// Every one is another library, whatever it is made of.
    /// - Parameters:
    ///   - macros: `NAME=value` each.
    ///   - options: further ones, such as libraries.
    @discardableResult
    public static func build(
        _ source: String = "constant.c", as name: String, in folder: TemporaryDirectory, macros: [String] = [],
        options: [String] = []
    ) throws -> URL {
        let library = folder.file(name)
        let include = Checkout.root.appendingPathComponent("Sources/AdapterABI/include").path
        let compiler = try ChildProcess(
            "/usr/bin/gcc",
            [
                "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared", "-I", include,
                "-Wl,--build-id=0x\(UUID().uuidString.filter { $0 != "-" })",
            ]
                + macros.map { "-D\($0)" }
                + [Checkout.root.appendingPathComponent("Tests/Adapters/\(source)").path, "-o", library.path] + options,
            environment: ["PATH": "/usr/bin:/bin"], logs: try TemporaryDirectory("gcc"), name: "gcc")
        guard try compiler.waitForEnd(within: 60) == 0 else { throw FixtureError("gcc: \(compiler.errors)") }
        return library
    }
}
