import Foundation

/// A Shelly Pro EM or Pro 3EM, as its messages show it: JSON-RPC frames, and a log of minutes.
public struct ShellyGen2: Sendable {
    public enum Profile: Sendable {
        /// `em:0`
        case threePhase
        /// `em1:0`, …
        case single
    }

    public let prefix: String
    public let id: String
    public let profile: Profile
    public var name: String?
    /// Names of channels in its configuration.
    public var channelNames: [Int: String] = [:]
    public private(set) var loads: [ShellyLoad]
    public private(set) var forwardWh: [Double]
    public private(set) var returnedWh: [Double]
    public private(set) var second: Int
    /// What was last said of each load: only what has changed is said again.
    private var saidW: [Double?]
    public var log: ShellyLog
    /// Without a clamp type a channel measures nothing.
    public var unmeasured: Set<Int> = []

    public init(
        _ id: String, prefix: String? = nil, _ profile: Profile, _ loads: [ShellyLoad], totalWh: Double = 12_345,
        at second: Int
    ) {
        self.id = id
        self.prefix = prefix ?? id
        self.profile = profile
        self.loads = loads
        self.second = second
        forwardWh = loads.map { _ in totalWh }
        returnedWh = loads.map { _ in 0 }
        saidW = loads.map { _ in nil }
        log = ShellyLog(profile, loads.count)
    }

    public mutating func advance(to end: Int) {
        for now in second..<max(second, end) {
            for (index, load) in loads.enumerated() {
                let power = load.watts(now)
                if power > 0 { forwardWh[index] += power / 3600 } else { returnedWh[index] -= power / 3600 }
            }
            if now % 60 == 59 { log.write(minute: now / 60 * 60, loads) }
        }
        second = max(second, end)
    }

    /// Off and on again at `end`: nothing was measured meanwhile.
    public mutating func sleep(until end: Int) {
        second = max(second, end)
        log.cut()
        saidW = saidW.map { _ in nil }
    }

    // MARK: What it says by itself

    /// Where power has changed by 5 % and 10 W, or `isWhole`.
    public mutating func powerNotification(isWhole: Bool = false) -> MQTTMessage? {
        let changed = loads.indices.filter { index in
            guard !isWhole, let said = saidW[index] else { return true }
            let change = abs(loads[index].watts(second) - said)
            return change >= 10 && change >= 0.05 * abs(said)
        }
        guard !changed.isEmpty else { return nil }
        for index in changed { saidW[index] = loads[index].watts(second) }
        switch profile {
        case .single:
            return frame("NotifyStatus", changed.reduce(into: [:]) { $0["em1:\($1)"] = single($1) })
        case .threePhase:
            var status: [String: Any] = ["id": 0]
            for index in changed { status.merge(phase(index)) { $1 } }
            status["total_act_power"] = loads.reduce(0) { $0 + $1.watts(second) }.rounded2
            return frame("NotifyStatus", ["em:0": status])
        }
    }

    /// Once a minute.
    public func energyNotification() -> MQTTMessage { frame("NotifyStatus", counters) }

    /// With `status_ntf`: a topic a component, its whole status.
    public func statusMessages() -> [MQTTMessage] {
        status.map { key, value in MQTTMessage("\(prefix)/status/\(key)", Self.json(value)) }
    }

    public func online(_ isOnline: Bool) -> MQTTMessage {
        MQTTMessage("\(prefix)/online", isOnline ? "true" : "false", isRetained: true)
    }

    private func frame(_ method: String, _ parts: [String: Any]) -> MQTTMessage {
        let params = parts.merging(["ts": Double(second) + 0.12]) { $1 }
        return MQTTMessage(
            "\(prefix)/events/rpc",
            Self.json(["src": id, "dst": "\(id)/events", "method": method, "params": params]))
    }

    // MARK: What it measures

    private func single(_ index: Int) -> [String: Any] {
        guard !unmeasured.contains(index) else {
            return [
                "id": index, "current": NSNull(), "voltage": NSNull(), "act_power": NSNull(), "aprt_power": NSNull(),
                "pf": NSNull(), "freq": NSNull(), "errors": ["ct_type_not_set"],
            ]
        }
        let power = loads[index].watts(second)
        return [
            "id": index, "current": (abs(power) / 230).rounded2, "voltage": 230.1, "act_power": power.rounded2,
            "aprt_power": abs(power).rounded2, "pf": 0.97, "freq": 50, "calibration": "factory",
        ]
    }

    private func phase(_ index: Int) -> [String: Any] {
        let letter = ["a", "b", "c"][index]
        let power = loads[index].watts(second)
        return [
            "\(letter)_current": (abs(power) / 230).rounded2, "\(letter)_voltage": 229.9 + Double(index),
            "\(letter)_act_power": power.rounded2, "\(letter)_aprt_power": abs(power).rounded2, "\(letter)_pf": 0.95,
            "\(letter)_freq": 50,
        ]
    }

    private var counters: [String: Any] {
        switch profile {
        case .single:
            return loads.indices.reduce(into: [:]) { parts, index in
                parts["em1data:\(index)"] = [
                    "id": index, "total_act_energy": forwardWh[index].rounded2,
                    "total_act_ret_energy": returnedWh[index].rounded2,
                ]
            }
        case .threePhase:
            var data: [String: Any] = [
                "id": 0, "total_act": forwardWh.reduce(0, +).rounded2,
                "total_act_ret": returnedWh.reduce(0, +).rounded2,
            ]
            for (index, letter) in ["a", "b", "c"].enumerated() {
                data["\(letter)_total_act_energy"] = forwardWh[index].rounded2
                data["\(letter)_total_act_ret_energy"] = returnedWh[index].rounded2
            }
            return ["emdata:0": data]
        }
    }

    private var status: [String: Any] {
        switch profile {
        case .single:
            return loads.indices.reduce(into: counters) { $0["em1:\($1)"] = single($1) }
        case .threePhase:
            var em: [String: Any] = [
                "id": 0, "n_current": NSNull(), "total_current": 1.5,
                "total_act_power": loads.reduce(0) { $0 + $1.watts(second) }.rounded2,
                "total_aprt_power": loads.reduce(0) { $0 + abs($1.watts(second)) }.rounded2,
            ]
            for index in loads.indices { em.merge(phase(index)) { $1 } }
            return counters.merging(["em:0": em]) { $1 }
        }
    }

    // MARK: What it answers

    /// To a message of `<prefix>/rpc`; nil where it is no question.
    public mutating func answer(_ question: MQTTMessage) -> MQTTMessage? {
        guard let object = try? JSONSerialization.jsonObject(with: Data(question.payload)) as? [String: Any],
            let number = object["id"] as? Int, let source = object["src"] as? String,
            let method = object["method"] as? String
        else { return nil }
        let params = object["params"] as? [String: Any] ?? [:]
        var answer: [String: Any] = ["id": number, "src": id, "dst": source]
        switch result(method, params) {
        case .success(let result): answer["result"] = result
        case .failure(let error): answer["error"] = ["code": error.code, "message": error.message]
        }
        return MQTTMessage("\(source)/rpc", Self.json(answer))
    }

    private struct Refusal: Error {
        var code: Int
        var message: String
    }

    private func result(_ method: String, _ params: [String: Any]) -> Result<[String: Any], Refusal> {
        let isSingle = if case .single = profile { true } else { false }
        let data = isSingle ? "EM1Data" : "EMData"
        switch method {
        case "Shelly.GetDeviceInfo":
            var info: [String: Any] = [
                "name": name as Any? ?? NSNull(), "id": id, "mac": "A0DD6C9F1234",
                "model": isSingle ? "SPEM-002CEBEU50" : "SPEM-003CEBEU", "gen": 2, "ver": "1.4.4",
                "app": isSingle ? "ProEM50" : "Pro3EM", "auth_en": false,
            ]
            if !isSingle { info["profile"] = "triphase" }
            return .success(info)
        case "Shelly.GetConfig":
            var configuration: [String: Any] = ["mqtt": ["enable": true, "topic_prefix": prefix]]
            for index in isSingle ? Array(loads.indices) : [0] {
                configuration[isSingle ? "em1:\(index)" : "em:0"] = [
                    "id": index, "name": channelNames[index] as Any? ?? NSNull(), "reverse": false, "ct_type": "50A",
                ]
            }
            return .success(configuration)
        case "Shelly.GetStatus":
            return .success(status.merging(["sys": ["uptime": 1234], "mqtt": ["connected": true]]) { $1 })
        case "\(data).GetRecords":
            return .success(["data_blocks": log.blockList])
        case "\(data).GetData":
            guard let number = params["id"] as? Int, number < (isSingle ? loads.count : 1) else {
                return .failure(Refusal(code: -105, message: "No such component"))
            }
            guard let begin = params["ts"] as? Int else {
                return .failure(Refusal(code: -103, message: "Missing or bad argument 'ts'!"))
            }
            return .success(log.answer(channel: number, from: begin, to: params["end_ts"] as? Int))
        default:
            return .failure(Refusal(code: 404, message: "No handler for \(method)"))
        }
    }

    private static func json(_ value: Any) -> String {
        (try? JSONSerialization.data(withJSONObject: value, options: [.withoutEscapingSlashes])).map {
            String(decoding: $0, as: UTF8.self)
        } ?? "{}"
    }
}

extension Double {
    fileprivate var rounded2: Double { (self * 100).rounded() / 100 }
}
