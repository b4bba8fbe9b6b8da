public import Foundation

/// `Tests/ABI/baseline/adapter.c`, compiled against the header that lies beside it: an adapter of a release before.
public enum RecordedAdapter {
    /// Of the type `recorded`.
    public static func build(in folder: TemporaryDirectory) throws -> URL {
        let baseline = Checkout.root.appendingPathComponent("Tests/ABI/baseline").path
        let library = folder.file("libsmartmeter-recorded.so")
        let compiler = try ChildProcess(
            "/usr/bin/gcc",
            [
                "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-I",
                baseline,
                "\(baseline)/adapter.c", "-o", library.path,
            ],
            environment: ["PATH": "/usr/bin:/bin"], logs: folder, name: "gcc")
        guard try compiler.waitForEnd(within: 60) == 0 else { throw FixtureError("gcc: \(compiler.errors)") }
        return library
    }
}
