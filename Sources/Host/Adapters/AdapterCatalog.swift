import Configuration
import Glibc

/// Every adapter that was found, and every file that was not one.
package struct AdapterCatalog: Sendable {
    package private(set) var adapters: [LoadedAdapter] = []
    package private(set) var refused: [AdapterRefusal] = []
    /// Where they were looked for.
    package let directories: [String]

    /// - Parameters:
    ///   - release: the release's own directory; its types cannot be overridden.
    ///   - directories: those of `ADAPTER_PATH`.
    package init(release: String, directories: [String]) {
        self.directories = directories.reduce(into: [release]) { searched, directory in
            if !searched.contains(directory) { searched.append(directory) }
        }
        for directory in self.directories {
            let isRelease = directory == release
            guard let files = Self.libraries(in: directory) else {
                if !isRelease {
                    refused.append(AdapterRefusal(path: directory, reason: "the directory cannot be read"))
                }
                continue
            }
            for file in files { take("\(directory)/\(file)") }
        }
    }

    package func adapter(ofType meterType: String) -> LoadedAdapter? {
        adapters.first { $0.description.meterType == meterType }
    }

    private mutating func take(_ path: String) {
        if let objection = ELFCheck.objection(to: path) {
            refused.append(AdapterRefusal(path: path, reason: objection))
            return
        }
        do throws(AdapterRefusal) {
            let found = try AdapterLibrary.load(path)
            for adapter in found {
                if let reason = objection(to: adapter.description.meterType) {
                    throw AdapterRefusal(path: path, reason: reason)
                }
            }
            adapters += found
        } catch {
            refused.append(error)
        }
    }

    private func objection(to meterType: String) -> String? {
        if let other = adapter(ofType: meterType) {
            return "the type \(meterType) is taken: \(other.path) has it"
        }
        return MeterTypeRule.objection(to: meterType, known: adapters.map(\.description.meterType))
    }

    /// Names that end in `.so`, sorted; nil where the directory cannot be read.
    private static func libraries(in directory: String) -> [String]? {
        guard let stream = unsafe opendir(directory) else { return nil }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".so"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
