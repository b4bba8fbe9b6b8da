import Foundation

/// `/status`: what each word of the query adds, in the forms of the firmware.
struct IoTaWattStatus {
    let log: IoTaWattLog
    let now: Double
    let startedAt: Double
    let hasPasswords: Bool

    private var model: IoTaWattModel { log.model }

    func text(_ query: [String: String]) -> String {
        let parts: [(name: String, text: () -> String)] = [
            ("device", device), ("stats", stats), ("inputs", inputs), ("outputs", outputs), ("datalogs", datalogs),
            ("wifi", wifi), ("passwords", passwords),
        ]
        let said = parts.filter { query[$0.name] != nil }.map { "\"\($0.name)\":\($0.text())" }
        return "{\(said.joined(separator: ","))}"
    }

    private func device() -> String {
        let minutes = (model.timeZone?.secondsFromGMT() ?? 0) / 60
        return "{\"name\":\"\(model.deviceName)\",\"timediff\":\(minutes),\"allowdst\":true,\"update\":\"MINOR\"}"
    }

    private func stats() -> String {
        let time = Int(now)
        let start = Int(startedAt)
        return """
            {"cyclerate":32.1,"chanrate":35.2,"starttime":\(start),"currenttime":\(time),\
            "runseconds":\(time - start),"stack":21000,"version":"\(model.version)","frequency":60.01,"lowbat":false}
            """
    }

    private func inputs() -> String {
        let old = log.record(at: Int(now) / 5 * 5 - 5, now: now)
        let new = log.record(at: Int(now) / 5 * 5, now: now)
        let hours = Double(new.seconds - old.seconds) / 3600
        let objects = model.inputs.map { input in
            let one = hours == 0 ? 0 : log.first(input.channel, from: old, to: new) / hours
            let two = hours == 0 ? 0 : log.second(input.channel, from: old, to: new) / hours
            switch input.kind {
            case .voltage:
                return "{\"channel\":\(input.channel),\"Vrms\":\(rounded(one)),\"Hz\":\(rounded(two)),\"phase\":1.2}"
            case .power:
                let watts = abs(one) < 2 ? 0 : one
                let number = String(format: model.padsWatts ? "%5.0f" : "%.0f", watts)
                let factor = two == 0 ? 0 : watts / two
                let reversed = input.isReversed ? ",\"reversed\":true" : ""
                return
                    "{\"channel\":\(input.channel),\"Watts\":\"\(number)\",\"Pf\":\(rounded(factor))\(reversed),"
                    + "\"phase\":2.1,\"lastphase\":2}"
            }
        }
        return "[\(objects.joined(separator: ","))]"
    }

    private func outputs() -> String {
        let old = log.record(at: Int(now) / 5 * 5 - 5, now: now)
        let new = log.record(at: Int(now) / 5 * 5, now: now)
        let hours = Double(new.seconds - old.seconds) / 3600
        let objects = model.outputs.map { output in
            let value = output.terms.reduce(0) { $0 + $1.factor * log.first($1.channel, from: old, to: new) }
            return "{\"name\":\"\(output.name)\",\"units\":\"\(output.units)\",\"value\":"
                + "\(rounded(hours == 0 ? 0 : value / hours))}"
        }
        return "[\(objects.joined(separator: ","))]"
    }

    private func datalogs() -> String {
        func entry(_ id: String, _ first: Int, _ last: Int, _ step: Int) -> String {
            let size = max(0, last - first) / step * 256
            return "{\"id\":\"\(id)\",\"firstkey\":\(first),\"lastkey\":\(last),\"size\":\(size),\"interval\":\(step)}"
        }
        let current = entry("Current", model.currentLogFrom, log.currentLastKey(now: now), 5)
        return "[\(current),\(entry("History", model.historyLogFrom, log.historyLastKey(now: now), 60))]"
    }

    private func wifi() -> String {
        """
        {"connecttime":\(Int(startedAt)),"SSID":"test","IP":"192.0.2.7","channel":6,"RSSI":-61,"mac":"AA:BB:CC:DD:EE:FF"}
        """
    }

    private func passwords() -> String { "{\"admin\":\(hasPasswords),\"user\":\(hasPasswords),\"localAccess\":false}" }

    private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
