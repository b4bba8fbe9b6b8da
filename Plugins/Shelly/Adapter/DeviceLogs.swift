import AdapterKit

/// Asks the devices' logs, one question at a time.
struct DeviceLogs {
    private let host: AdapterHost
    private let exchange: Exchange
    private let deadline: Deadline

    /// An answer says where the next begins; a device that turns in circles is left.
    private static let mostAnswers = 200

    init(_ host: AdapterHost, _ exchange: Exchange, _ deadline: Deadline) {
        self.host = host
        self.exchange = exchange
        self.deadline = deadline
    }

    func plan() throws(AdapterError) -> HistoryPlan {
        switch try exchange.ask(.plan, until: deadline, host) {
        case .plan(let plan): return plan
        case .failure(let error): throw error
        case .result: throw AdapterError(.failed, "another answer than was asked for")
        }
    }

    /// Where the log begins, in seconds since the epoch; nil where nothing is in it yet.
    func beginning(of log: HistoryPlan.Log) throws(AdapterError) -> Int64? {
        let result = try call(log, "GetRecords", "{\"id\":\(log.component.number),\"ts\":0}")
        guard let blocks = result["data_blocks"]?.list else { throw senseless(log, "GetRecords") }
        return blocks.compactMap { $0["ts"]?.integer }.filter { $0 > 0 }.min()
    }

    /// The minutes that begin in from..<to (seconds since the epoch).
    func minutes(of log: HistoryPlan.Log, from: Int64, to: Int64) throws(AdapterError) -> MinuteRecords {
        var records = MinuteRecords(log)
        var begin = from
        for _ in 0..<Self.mostAnswers {
            let result = try call(
                log, "GetData",
                "{\"id\":\(log.component.number),\"ts\":\(begin),\"end_ts\":\(to),\"add_keys\":true}")
            guard records.add(result, from: from, to: to) else { throw senseless(log, "GetData") }
            guard let next = result["next_record_ts"]?.integer, next > begin, next < to else { return records }
            begin = next
        }
        return records
    }

    private func call(_ log: HistoryPlan.Log, _ method: String, _ params: String) throws(AdapterError) -> JSON {
        let method = "\(log.namespace).\(method)"
        let question = Exchange.Question.call(prefix: log.prefix, method: method, params: params)
        switch try exchange.ask(question, until: deadline, host) {
        case .plan: throw AdapterError(.failed, "another answer than was asked for")
        case .failure(let error): throw error
        case .result(let answer):
            if let result = answer["result"], result.members != nil { return result }
            throw refusal(answer["error"], "\(log.prefix): \(method)")
        }
    }

    /// What a device says instead of a result, by the codes of its documentation.
    private func refusal(_ error: JSON?, _ place: String) -> AdapterError {
        let words = String((error?["message"]?.text ?? "no reason").filter { !$0.isNewline }.prefix(200))
        switch error?["code"]?.integer {
        case 404, -105: return AdapterError(.unsupported, "\(place) is not there: \(words)")
        case -104: return AdapterError(.timeout, "\(place): \(words)")
        case -103: return AdapterError(.badData, "\(place): \(words)")
        default: return AdapterError(.unavailable, "\(place): \(words)")
        }
    }

    private func senseless(_ log: HistoryPlan.Log, _ method: String) -> AdapterError {
        AdapterError(.badData, "\(log.prefix): \(log.namespace).\(method) answered something that makes no sense")
    }
}
