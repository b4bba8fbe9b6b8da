import Adapters
import Pipeline
import Platform
import Readings
import Storage

/// An instance's small values, made durable by the pipeline.
struct PipelineMemory: AdapterMemory {
    let pipeline: Pipeline
    let instance: Int
    private static let patience = 10 * Duration.second

    func store(_ key: String, _ value: [UInt8]?) -> Bool {
        pipeline.setState(
            StateRecord(instance: instance, key: key, value: value), until: Clock.monotonic() + Self.patience)
    }

    func note(_ key: String, _ value: [UInt8]) {
        pipeline.note(StateRecord(instance: instance, key: key, value: value))
    }

    func secure(_ key: String, _ value: [UInt8]) {
        _ = pipeline.setState(
            StateRecord(instance: instance, key: key, value: value), until: Clock.monotonic() + Duration.second)
    }
}

/// An instance's gaps, found and filled by the pipeline.
struct PipelineHistory: AdapterHistory {
    let pipeline: Pipeline
    let instance: Int

    func wish(until deadline: Int64) -> HistoryWish? { pipeline.historyWish(of: instance, until: deadline) }

    func take(_ answer: HistoryAnswer, to question: HistoryQuestion, until deadline: Int64) -> Bool {
        pipeline.take(answer, to: question, of: instance, until: deadline)
    }
}

/// The memory of a reading that is only printed: what it uses of the ration and new tokens are kept, but when it was is
/// no attempt of the host's.
struct ReadMemory: AdapterMemory {
    let inner: any AdapterMemory

    func store(_ key: String, _ value: [UInt8]?) -> Bool { inner.store(key, value) }
    func note(_ key: String, _ value: [UInt8]) {
        if key != StateKey.lastAttempt { inner.note(key, value) }
    }
    func secure(_ key: String, _ value: [UInt8]) { inner.secure(key, value) }
}

/// The memory of an instance that leaves no trace: a stand-in, or a reading where there is no store.
struct NoMemory: AdapterMemory {
    func store(_ key: String, _ value: [UInt8]?) -> Bool { true }
    func note(_ key: String, _ value: [UInt8]) {}
    func secure(_ key: String, _ value: [UInt8]) {}
}
