package import Readings

/// Every circuit that an instance has ever shown.
package struct CircuitsReport: Sendable {
    package var instance: String
    package var zone: String
    /// Of the newest reading, whose powers are told; nil where there is none.
    package var timestamp: Instant?
    package var isStale = false
    package var circuits: [Circuit] = []

    package init(instance: String, zone: String) {
        self.instance = instance
        self.zone = zone
    }

    package struct Circuit: Sendable {
        package var id: String
        package var name: String
        package var kind: String
        package var parentID: String
        /// The newest reading has it.
        package var isPresent = false
        package var powerW: Double?
        package var percentage: Double?
        /// Energy of the local day, up to the last stored slot.
        package var todayKWh: Double?

        package init(id: String, name: String, kind: String, parentID: String) {
            self.id = id
            self.name = name
            self.kind = kind
            self.parentID = parentID
        }
    }

    static let shape = Shape<Self>(
        "Circuits",
        [
            .text("instance") { $0.instance },
            .text("time_zone") { $0.zone },
            .optionalTime("timestamp", "Of the newest reading, whose `power_w` and `percentage` are told") {
                $0.timestamp
            },
            .flag("stale", "The meter is away; these are its last numbers") { $0.isStale },
            .list("circuits", Circuit.shape) { $0.circuits },
        ])
}

extension CircuitsReport.Circuit {
    fileprivate static let shape = Shape<Self>(
        "KnownCircuit",
        [
            .text("id", "Stable, unique in the instance") { $0.id },
            .text("name") { $0.name },
            .word("kind", Words.kinds) { $0.kind },
            .text("parent_id", "The circuit that it hangs on; empty: directly below the mains") { $0.parentID },
            .flag("is_present", "The newest reading has it") { $0.isPresent },
            .optionalNumber("power_w") { $0.powerW },
            .optionalNumber("percentage", "Of the house's use") { $0.percentage },
            .optionalNumber("today_kwh", "Of the local day, up to the last stored slot") { $0.todayKWh },
        ])
}
