import AdapterKit

// What Gen2 devices are asked, and what they answer.
extension Household {
    /// Asks what is to be asked, sees who is ready and who has gone silent.
    mutating func tick(at now: Moment) {
        guard connectedAt != nil else { return }
        noteTime(now)
        wait(at: now)
        for place in meters.indices {
            askNext(place, now)
            if !meters[place].isReady, isReady(meters[place], now) {
                meters[place].isReady = true
                isLayoutStale = true
                if meters[place].isMeasuring { change(at: now) }
            }
            if let heardAt = meters[place].heardAt, now.monotonic - heardAt > Self.longestSilence {
                meters[place].forget()
                change(at: now)
            }
        }
    }

    private func isReady(_ meter: Meter, _ now: Moment) -> Bool {
        switch meter.dialect {
        // An old firmware announces nothing: what has come by then are its channels.
        case .gen1: now.monotonic - meter.foundAt >= 2 * Moment.second
        case .gen2: meter.inquiry.isSettled && !meter.channels.isEmpty
        }
    }

    private mutating func askNext(_ place: Int, _ now: Moment) {
        guard let question = meters[place].inquiry.next(at: now.monotonic) else { return }
        let number = ask(meters[place].prefix, question.rawValue, params: nil)
        meters[place].inquiry.ask(as: number, at: now.monotonic)
    }

    /// Sends a question to a device.
    /// - Returns: its number, which the answer will have.
    mutating func ask(_ prefix: String, _ method: String, params: String?) -> Int {
        requests += 1
        let params = params.map { ",\"params\":\($0)" } ?? ""
        outgoing.append(
            .publish(
                topic: "\(prefix)/rpc",
                payload: "{\"id\":\(requests),\"src\":\(JSON.quoted(own)),\"method\":\(JSON.quoted(method))\(params)}"))
        return requests
    }

    mutating func takeAnswer(_ payload: [UInt8], _ now: Moment) {
        guard let answer = JSON.parse(payload), let number = answer["id"]?.integer.flatMap({ Int(exactly: $0) })
        else { return }
        guard let place = meters.firstIndex(where: { $0.inquiry.request == number }) else {
            if number >= 1, number <= requests { answers.append((number, answer)) }
            return
        }
        let question = meters[place].inquiry.questions.first
        meters[place].inquiry.proceed()
        guard let result = answer["result"], result.members != nil else { return askNext(place, now) }
        switch question {
        case .info:
            identify(
                place, id: result["id"]?.text, model: result["model"]?.text, name: result["name"]?.text)
        case .configuration:
            for (key, configuration) in result.members ?? [:] {
                guard let component = Component(key) else { continue }
                meters[place].call(component.channel, configuration["name"]?.text)
                isLayoutStale = true
            }
        case .status: takeStatus(result, place, now)
        case nil: break
        }
        askNext(place, now)
    }

    private mutating func takeStatus(_ result: JSON, _ place: Int, _ now: Moment) {
        let parts = (result.members ?? [:]).compactMap { key, status in Component(key).map { ($0, status) } }
        guard !parts.isEmpty else {
            meters[place].isForeign = meters[place].channels.isEmpty
            return
        }
        merge(parts, isWhole: true, place, now)
    }
}
