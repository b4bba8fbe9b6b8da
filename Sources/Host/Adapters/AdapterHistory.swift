package import Readings

/// What becomes of an instance's gaps. Made by the composition over the pipeline.
package protocol AdapterHistory: Sendable {
    /// What to ask the meter's log next; nil where that cannot be said now.
    func wish(until deadline: Int64) -> HistoryWish?
    /// What it has told; true once that is durable.
    func take(_ answer: Readings.HistoryAnswer, to question: HistoryQuestion, until deadline: Int64) -> Bool
}
