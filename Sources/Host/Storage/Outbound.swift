package import Readings

/// A slot that waits to be sent, as it is now.
package struct OutboundSlot: Sendable {
    package var id: Int64
    package var revision: Int64
    package var slot: Slot
    package var meter: InstanceIdentity
    /// Beside `slot.circuits`: the names that were in force, and the ids.
    package var circuitNames: [String]
    package var circuitIDs: [String]

    package init(
        id: Int64, revision: Int64, slot: Slot, meter: InstanceIdentity, circuitNames: [String], circuitIDs: [String]
    ) {
        self.id = id
        self.revision = revision
        self.slot = slot
        self.meter = meter
        self.circuitNames = circuitNames
        self.circuitIDs = circuitIDs
    }

    package var row: Settlement.Row { Settlement.Row(id: id, revision: revision) }
}

/// A slot that waits to be sent and cannot be read.
package struct UnreadableSlot: Sendable {
    package var row: Settlement.Row
    package var reason: String
}

/// An alert that waits to be sent.
package struct OutboundAlert: Sendable {
    package var id: Int64
    package var revision: Int64
    package var alert: AlertRecord
    package var meter: InstanceIdentity

    package init(id: Int64, revision: Int64, alert: AlertRecord, meter: InstanceIdentity) {
        self.id = id
        self.revision = revision
        self.alert = alert
        self.meter = meter
    }

    package var row: Settlement.Row { Settlement.Row(id: id, revision: revision) }
}

/// A message about an alert that waits to be sent.
package struct OutboundMessage: Sendable {
    package var id: Int64
    /// `raised` or `ended`.
    package var state: String
    /// The alert as it is now.
    package var outbound: OutboundAlert
}

/// What waits.
package struct Backlog: Hashable, Sendable {
    package var slots = 0
    /// Lines of line protocol, about.
    package var points = 0
    package var oldest: Instant?
    package var newest: Instant?
    package var rejected = 0

    package init() {}
}
