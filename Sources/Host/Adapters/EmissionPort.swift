package import AdapterABI
import Observability
package import Platform
package import Readings
import Synchronization

/// An instance's way in: checks what an adapter emits, copies it once, and hands it on. Calls come from any thread.
package final class EmissionPort: Sendable {
    /// What has come through, for status and metrics.
    package struct Counts: Hashable, Sendable {
        package var accepted = 0
        /// Dropped because the queue was full.
        package var busy = 0
        /// Readings that break a rule.
        package var invalid = 0
        /// Single numbers that were no numbers, or beyond anything.
        package var badValues = 0
        package var lastAccepted: Instant?
    }

    private struct State {
        var assembly: ReadingAssembly
        var counts = Counts()
        var isOpen = false
        /// What the first reading since start said that knew anything.
        var known: PowerSet?
    }

    private let instance: Int
    private let board: LiveBoard
    /// Nil = the live view only: a stand-in's readings go nowhere else.
    private let lane: Intake<Emission>.Lane?
    private let state: Mutex<State>
    private let complain: @Sendable (String) -> Void

    /// - Parameter complain: logs why a reading was refused; limits repeats itself.
    package init(
        instance: Int, circuits: [CircuitIdentity], maximumPowerW: Double, board: LiveBoard,
        lane: Intake<Emission>.Lane?, complain: @escaping @Sendable (String) -> Void
    ) {
        self.instance = instance
        self.board = board
        self.lane = lane
        self.complain = complain
        state = Mutex(State(assembly: ReadingAssembly(circuits: circuits, maximumPowerW: maximumPowerW)))
    }

    package var counts: Counts { state.withLock { $0.counts } }

    /// From the entry of start to the return of stop.
    package func open() {
        state.withLock { state in
            state.isOpen = true
            state.known = nil
        }
    }

    func close() { state.withLock { $0.isOpen = false } }

    /// `emit`: METER_EMIT_...
    /// - Parameter sampling: ns between readings, as planned now.
    package func accept(_ reading: UnsafePointer<meter_reading>?, sampling: Int64) -> Int32 {
        let outcome = state.withLock { state in unsafe take(reading, &state) }
        switch outcome {
        case .closed: return METER_EMIT_CLOSED
        case .refused(let reason):
            complain(reason)
            return METER_EMIT_INVALID
        case .assembled(var emission, let note):
            if let note { complain(note) }
            emission.sampling = sampling
            return hand(on: emission)
        }
    }

    /// A record of the meter's log: checked and copied like a reading, and handed on by whoever asked for it. Nil where it
    /// breaks a rule.
    func record(_ reading: UnsafePointer<meter_reading>?) -> Emission? {
        switch state.withLock({ state in unsafe take(reading, &state) }) {
        case .closed: return nil
        case .refused(let reason):
            complain("history: \(reason)")
            return nil
        case .assembled(let emission, _): return emission
        }
    }

    /// Readings that were dropped on their way here.
    func note(invalid: Int, busy: Int, reason: String) {
        state.withLock { state in
            state.counts.invalid += invalid
            state.counts.busy += busy
        }
        if invalid > 0 { complain(reason) }
    }

    private enum Outcome {
        case closed
        case refused(String)
        case assembled(Emission, note: String?)
    }

    private func take(_ reading: UnsafePointer<meter_reading>?, _ state: inout State) -> Outcome {
        guard state.isOpen else { return .closed }
        let now = Instant(nanoseconds: Clock.wall())
        let badValues = state.assembly.badValues
        do throws(ReadingAssembly.Refusal) {
            var emission = try unsafe state.assembly.emission(reading, instance: instance, now: now)
            emission.receivedMonotonic = Clock.monotonic()
            var note: String?
            // Who has not found its meter yet knows nothing, and has not said what a total means.
            if let known = state.known, known != emission.known, !known.isEmpty {
                note = "the reading's 'known' changed while running; the first one counts"
                emission.known = known
            }
            state.known = emission.known
            state.counts.badValues = state.assembly.badValues
            if state.assembly.badValues > badValues { note = "a value was not a plausible number and is left out" }
            return .assembled(emission, note: note)
        } catch {
            state.counts.invalid += 1
            return .refused(error.reason)
        }
    }

    private func hand(on emission: Emission) -> Int32 {
        board.publish(emission)
        let outcome = lane?.post(emission, weight: max(1, emission.circuits.count)) ?? .queued
        return state.withLock { state in
            switch outcome {
            case .queued:
                state.counts.accepted += 1
                state.counts.lastAccepted = Instant(nanoseconds: Clock.wall())
                return METER_EMIT_QUEUED
            case .full:
                state.counts.busy += 1
                return METER_EMIT_BUSY
            case .closed: return METER_EMIT_CLOSED
            }
        }
    }
}
