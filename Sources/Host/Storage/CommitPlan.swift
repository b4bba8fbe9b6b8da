package import Analysis
package import Readings

/// Everything that one transaction makes durable. What is not in a commit that succeeded has not been accepted.
package struct CommitPlan: Sendable {
    package var circuits: [CircuitRecord] = []
    /// Instances whose kept emissions go, before new ones are written: they are of a time that was none.
    package var forgetEmissionsOf: Set<Int> = []
    package var emissions: [Emission] = []
    /// Per instance: emissions before this are no longer needed.
    package var keepEmissionsFrom: [Int: Instant] = [:]
    /// New slots, and slots that have changed (their next revision).
    package var slots: [Slot] = []
    package var alerts: [AlertRecord] = []
    package var nights: [NightRecord] = []
    package var states: [StateRecord] = []
    package var settlements: [Settlement] = []
    package var asked: [AskedRecord] = []

    package init() {}

    package var isEmpty: Bool {
        circuits.isEmpty && forgetEmissionsOf.isEmpty && emissions.isEmpty && keepEmissionsFrom.isEmpty && slots.isEmpty
            && alerts.isEmpty
            && nights.isEmpty && states.isEmpty && settlements.isEmpty && asked.isEmpty
    }
}

/// A circuit as it now is: its durable number, what the adapter says, and the name that people see.
package struct CircuitRecord: Sendable {
    package var instance: Int
    package var number: Int32
    package var identity: CircuitIdentity
    package var shownName: String

    package init(instance: Int, number: Int32, identity: CircuitIdentity, shownName: String) {
        self.instance = instance
        self.number = number
        self.identity = identity
        self.shownName = shownName
    }
}

/// An alert's episode; the same (instance, kind, start) overwrites itself as it goes on.
package struct AlertRecord: Hashable, Sendable {
    package var instance: Int
    /// `high_consumption`, `phantom_load`, `no_data` or `adapter_failing`.
    package var kind: String
    package var start: Instant
    /// Nil for an alert that is not about power.
    package var peakW: Double?
    package var ended: Instant?
    /// One line for a person.
    package var detail: String
    /// Whether it has just been raised or ended, so that the webhook is to be told.
    package var isNews: Bool

    package init(
        instance: Int, kind: String, start: Instant, peakW: Double?, ended: Instant?, detail: String,
        isNews: Bool = false
    ) {
        self.instance = instance
        self.kind = kind
        self.start = start
        self.peakW = peakW
        self.ended = ended
        self.detail = detail
        self.isNews = isNews
    }

    /// The peak as it is shown and sent: sums of powers have digits that nobody measured.
    package var shownPeakW: Double? { peakW.map(Shares.thousandths) }

    /// What it is called in InfluxDB, in the API and in messages.
    package func id(of meter: InstanceIdentity) -> String { "\(meter.name)/\(kind)/\(start.seconds)" }
}

/// The phantom load of one local night of an instance.
package struct NightRecord: Hashable, Sendable {
    package var instance: Int
    /// YYYY-MM-DD.
    package var date: String
    package var night: PhantomLoad.Night

    package init(instance: Int, date: String, night: PhantomLoad.Night) {
        self.instance = instance
        self.date = date
        self.night = night
    }
}

/// A small durable value; nil removes it.
package struct StateRecord: Hashable, Sendable {
    package var instance: Int
    package var key: String
    package var value: [UInt8]?

    package init(instance: Int, key: String, value: [UInt8]?) {
        self.instance = instance
        self.key = key
        self.value = value
    }
}

/// A span that was asked of a meter's log, and what came of it.
package struct AskedRecord: Hashable, Sendable {
    package var instance: Int
    package var span: Range<Instant>
    /// A word for people; nil = it shall be asked again.
    package var answer: String?
    /// When it may be asked again; nil = never.
    package var retryAt: Instant?

    package init(instance: Int, span: Range<Instant>, answer: String?, retryAt: Instant? = nil) {
        self.instance = instance
        self.span = span
        self.answer = answer
        self.retryAt = retryAt
    }
}

/// What the destination has answered for: rows and the revisions of them that were read.
package struct Settlement: Hashable, Sendable {
    package struct Row: Hashable, Sendable {
        package var id: Int64
        package var revision: Int64

        package init(id: Int64, revision: Int64) {
            self.id = id
            self.revision = revision
        }
    }

    package var slots: [Row] = []
    package var alerts: [Row] = []
    package var rejected: [RejectedLine] = []
    package var messages: [AnsweredMessage] = []

    package init() {}

    package var isEmpty: Bool { slots.isEmpty && alerts.isEmpty && rejected.isEmpty && messages.isEmpty }
}

/// A line that the destination will not take, with its words.
package struct RejectedLine: Hashable, Sendable {
    package var at: Instant
    package var line: String
    package var reason: String
    /// The row that it was made of.
    package var slot: Int64?
    package var alert: Int64?

    package init(at: Instant, line: String, reason: String, slot: Int64?, alert: Int64?) {
        self.at = at
        self.line = line
        self.reason = reason
        self.slot = slot
        self.alert = alert
    }
}

/// A message that the webhook has taken.
package struct AnsweredMessage: Hashable, Sendable {
    package var id: Int64
    package var at: Instant

    package init(id: Int64, at: Instant) {
        self.id = id
        self.at = at
    }
}
