public import Foundation
import Glibc

/// The program as it lies once installed, with the mock among its adapters: what is put beside it is the release's own.
public final class InstalledPrefix: Sendable {
    private let folder: TemporaryDirectory
    /// `lib/smart-meter/adapters`.
    public let adapters: TemporaryDirectory

    public var program: URL { folder.file("bin/smart-meter") }

    public init() throws {
        folder = try TemporaryDirectory("prefix")
        for path in ["bin", "lib/smart-meter"] {
            try FileManager.default.createDirectory(at: folder.file(path), withIntermediateDirectories: true)
        }
        adapters = try TemporaryDirectory("release")
        try FileManager.default.createSymbolicLink(
            at: folder.file("lib/smart-meter/adapters"), withDestinationURL: adapters.url)
        try FileManager.default.copyItem(
            at: Checkout.products.appendingPathComponent("smart-meter"), to: program)
        try addMock()
    }

    /// Puts the mock there, as a file that is another each time: as a new version would.
    public func addMock() throws {
        var bytes = try Data(contentsOf: Checkout.products.appendingPathComponent("libsmartmeter-mock.so"))
        bytes.append(Data(UUID().uuidString.utf8))
        let new = adapters.file("new")
        try bytes.write(to: new)
        guard unsafe rename(new.path, adapters.file("libsmartmeter-mock.so").path) == 0 else {
            throw FixtureError("cannot put the mock in place: errno \(errno)")
        }
    }
}
