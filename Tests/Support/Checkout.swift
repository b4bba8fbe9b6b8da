public import Foundation

/// Where this checkout keeps its sources and what was built of them.
public enum Checkout {
    public static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder with the host and the adapters: SMARTMETER_BUILD, else where this test program lies.
    public static var products: URL {
        if let folder = ProcessInfo.processInfo.environment["SMARTMETER_BUILD"] { return URL(fileURLWithPath: folder) }
        return URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }

    /// The path of something in it.
    public static func product(_ name: String) -> String { products.appendingPathComponent(name).path }

    /// Home Assistant's virtual environment and its configuration that has been started once; `make test` makes them.
    public static var homeAssistantVenv: String { place("SMARTMETER_HA_VENV", ".cache/homeassistant-venv") }
    static var homeAssistantTemplate: String { place("SMARTMETER_HA_TEMPLATE", ".cache/homeassistant-template") }

    /// The virtual environment with the IoTaWatt's client library; `make test` makes it.
    public static var iotawattpyVenv: String { place("SMARTMETER_IOTAWATTPY_VENV", ".cache/iotawattpy-venv") }

    /// The virtual environment with Sense's client library; `make test` makes it.
    public static var senseVenv: String { place("SMARTMETER_SENSE_VENV", ".cache/sense-venv") }
    /// The virtual environment with the client libraries of Emporia's service; `make test` makes it.
    public static var emporiaVenv: String { place("SMARTMETER_EMPORIA_VENV", ".cache/emporia-venv") }

    /// The Python of the environment that the API is checked with; `make test` makes it.
    public static var apiPython: String { place("SMARTMETER_API_VENV", ".cache/api-venv") + "/bin/python" }

    /// How often a test repeats a fault.
    public static var rounds: Int { ProcessInfo.processInfo.environment["ROUNDS"].flatMap { Int($0) } ?? 5 }

    private static func place(_ variable: String, _ path: String) -> String {
        ProcessInfo.processInfo.environment[variable] ?? root.appendingPathComponent(path).path
    }
}
