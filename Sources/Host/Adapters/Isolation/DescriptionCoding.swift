import Configuration
import Readings

/// An adapter's description as bytes; `objection` has to be asked of what was read.
extension AdapterDescription {
    func write(to writer: inout ByteWriter) {
        for text in [meterType, name, vendor, version, url, summary] { writer.write(text: text) }
        writer.write(delivery == .push)
        writer.write(Int64(requestsPerDay))
        for time in [defaultSampling, minimumSampling, late, historyStep, historyReach] { writer.write(time) }
        writer.write(canLogIn)
        writer.write(UInt32(clamping: settings.count))
        for setting in settings {
            let kind = setting.kind.foreign
            writer.write(text: setting.name)
            writer.write(kind.raw)
            writer.write(text: kind.choices)
            writer.write(text: setting.defaultValue ?? "")
            writer.write(setting.isRequired)
            writer.write(text: setting.help)
        }
    }

    init?(_ reader: inout ByteReader) {
        guard let meterType = reader.readText(limit: Self.longestLine),
            let name = reader.readText(limit: Self.longestLine), let vendor = reader.readText(limit: Self.longestLine),
            let version = reader.readText(limit: Self.longestLine), let url = reader.readText(limit: Self.longestLine),
            let summary = reader.readText(limit: Self.longestLine), let isPush = reader.readBool(),
            let requestsPerDay = reader.read(Int64.self), let defaultSampling = reader.read(Int64.self),
            let minimumSampling = reader.read(Int64.self), let late = reader.read(Int64.self),
            let historyStep = reader.read(Int64.self), let historyReach = reader.read(Int64.self),
            let canLogIn = reader.readBool(), let settings = Self.settings(&reader)
        else { return nil }
        self.init(
            meterType: meterType, name: name, vendor: vendor, version: version, url: url, summary: summary,
            delivery: isPush ? .push : .pull, requestsPerDay: Int(requestsPerDay), defaultSampling: defaultSampling,
            minimumSampling: minimumSampling, late: late, historyStep: historyStep, historyReach: historyReach,
            canLogIn: canLogIn, settings: settings)
    }

    private static func settings(_ reader: inout ByteReader) -> [SettingDeclaration]? {
        guard let count = reader.read(UInt32.self), count <= mostSettings else { return nil }
        var settings: [SettingDeclaration] = []
        for _ in 0..<count {
            guard let name = reader.readText(limit: longestValue), let raw = reader.read(UInt32.self),
                let choices = reader.readText(limit: longestValue), let value = reader.readText(limit: longestValue),
                let isRequired = reader.readBool(), let help = reader.readText(limit: longestValue),
                let kind = SettingKind(foreign: raw, choices: choices)
            else { return nil }
            settings.append(
                SettingDeclaration(
                    name: name, kind: kind, default: value.isEmpty ? nil : value, required: isRequired, help: help))
        }
        return settings
    }
}
