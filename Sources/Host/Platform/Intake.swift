import Synchronization

/// Where many producers meet one consumer: each producer has a lane with a lock of its own (one lock that all hammer
/// costs microseconds), a lane that has something puts itself on the ready list, and the consumer takes whole lanes.
/// Bounded by weight, per lane and in all; one element heavier than a lane's bound still passes an empty lane.
package final class Intake<Element: Sendable>: Sendable {
    fileprivate let ready = Mutex<[Lane]>([])
    fileprivate let weight = Atomic<Int>(0)
    fileprivate let laneLimit: Int
    fileprivate let totalLimit: Int
    package let doorbell: Doorbell

    /// `doorbell` belongs to the consumer's thread.
    package init(laneLimit: Int, totalLimit: Int, doorbell: Doorbell) {
        self.laneLimit = laneLimit
        self.totalLimit = totalLimit
        self.doorbell = doorbell
    }

    /// A new producer's way in.
    package func makeLane() -> Lane { Lane(intake: self) }

    /// Everything posted so far, per lane in order of arrival. The consumer's thread only.
    package func take() -> [Element] {
        let lanes = ready.withLock { ready in
            defer { ready = [] }
            return ready
        }
        var elements: [Element] = []
        for lane in lanes {
            let (taken, weight) = lane.take()
            self.weight.subtract(weight, ordering: .relaxed)
            if elements.isEmpty { elements = taken } else { elements.append(contentsOf: taken) }
        }
        return elements
    }

    /// One producer's queue. Posts may come from any thread.
    package final class Lane: Sendable {
        private struct Queue {
            var elements: [Element] = []
            var weight = 0
            var isClosed = false
        }

        private let intake: Intake
        private let queue = Mutex(Queue())

        fileprivate init(intake: Intake) {
            self.intake = intake
        }

        package enum Outcome: Sendable {
            case queued, full, closed
        }

        /// Never blocks for longer than a copy takes.
        package func post(_ element: Element, weight: Int) -> Outcome {
            let (outcome, isFirst) = queue.withLock { queue -> (Outcome, Bool) in
                guard !queue.isClosed else { return (.closed, false) }
                let total = intake.weight.load(ordering: .relaxed)
                let isFull = queue.weight + weight > intake.laneLimit || total + weight > intake.totalLimit
                guard queue.elements.isEmpty || !isFull else { return (.full, false) }
                queue.elements.append(element)
                queue.weight += weight
                return (.queued, queue.elements.count == 1)
            }
            guard outcome == .queued else { return outcome }
            intake.weight.add(weight, ordering: .relaxed)
            if isFirst {
                intake.ready.withLock { $0.append(self) }
                intake.doorbell.ring()
            }
            return outcome
        }

        /// From now on every post answers `closed`; what is queued is still delivered.
        package func close() {
            queue.withLock { $0.isClosed = true }
        }

        fileprivate func take() -> ([Element], Int) {
            queue.withLock { queue in
                defer {
                    queue.elements = []
                    queue.weight = 0
                }
                return (queue.elements, queue.weight)
            }
        }
    }
}
