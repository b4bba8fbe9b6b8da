import Configuration
import Foundation
import Observability
import Platform
import Readings
import TestSupport

@testable import Adapters

/// The shelf as the host has it, over directories of a test.
enum ShelfRig {
    /// One for all: who starts a child ends with it.
    static let spawner = Result {
        try RunnerSpawner(
            program: Checkout.products.appendingPathComponent("smart-meter").path, environment: [:])
    }

    /// Beside what was built: the next run of the tests removes what this one leaves.
    private static let staging = Result {
        try StagingArea(Checkout.products.appendingPathComponent("test-staging").path)
    }

    static func loader(_ isolation: HostSettings.Isolation = .auto, secret: [String] = []) throws -> AdapterLoader {
        AdapterLoader(
            staging: try staging.get(), spawner: try spawner.get(), isolation: isolation, secret: secret,
            log: try Log(level: .error))
    }

    /// Everything that lies in the directories. What lies in the release's own and needs nothing runs in this process.
    static func catalog(
        release: String, directories: [String] = [], _ isolation: HostSettings.Isolation = .auto, secret: [String] = []
    ) throws -> AdapterCatalog {
        let shelf = try AdapterShelf(
            release: release, directories: directories, loader: try loader(isolation, secret: secret), watches: false)
        return shelf.complete(until: Clock.monotonic() + 60 * Duration.second)
    }
}
