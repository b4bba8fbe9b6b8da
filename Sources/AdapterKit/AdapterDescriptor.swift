/// What an adapter is and how to run it.
public struct AdapterDescriptor: Sendable {
    /// How readings come.
    public enum Delivery: UInt32, Sendable {
        /// The host asks on a schedule.
        case pull = 1
        /// The adapter emits when it has something.
        case push = 2
    }

    /// `[a-z][a-z0-9_]*`: what `METER_TYPE` names.
    public var meterType: String
    public var name: String
    public var vendor: String
    public var version: String
    public var url: String
    public var summary: String
    public var delivery: Delivery
    /// What the device or cloud allows a day; 0 = no limit.
    public var requestsPerDay: UInt32
    /// How often it is read; 0 = once an interval.
    public var samplingSeconds: Double
    public var minimumSamplingSeconds: Double
    /// How late a reading may come; 0 = 60 s.
    public var lateSeconds: Double
    /// The finest step of its history; 0 = none.
    public var historyStepSeconds: Double
    /// How far its history reaches back; 0 = unknown.
    public var historyReachSeconds: Double
    public var settings: [Setting]

    public init(
        meterType: String, name: String, vendor: String = "", version: String, url: String = "", summary: String,
        delivery: Delivery = .pull, requestsPerDay: UInt32 = 0, samplingSeconds: Double = 0,
        minimumSamplingSeconds: Double, lateSeconds: Double = 0, historyStepSeconds: Double = 0,
        historyReachSeconds: Double = 0, settings: [Setting]
    ) {
        self.meterType = meterType
        self.name = name
        self.vendor = vendor
        self.version = version
        self.url = url
        self.summary = summary
        self.delivery = delivery
        self.requestsPerDay = requestsPerDay
        self.samplingSeconds = samplingSeconds
        self.minimumSamplingSeconds = minimumSamplingSeconds
        self.lateSeconds = lateSeconds
        self.historyStepSeconds = historyStepSeconds
        self.historyReachSeconds = historyReachSeconds
        self.settings = settings
    }
}

/// A setting that a person gives as the variable `<TYPE>_<NAME>`.
public struct Setting: Sendable {
    public enum Kind: UInt32, Sendable {
        case text = 1
        case number = 2
        case flag = 3
        case url = 4
        case secret = 5
        case file = 6
        case list = 7
        case choice = 8
    }

    /// Bare: `[a-z][a-z0-9_]*`.
    public var name: String
    public var kind: Kind
    public var defaultValue: String
    public var choices: [String]
    public var isRequired: Bool
    /// One line for a person.
    public var help: String

    public init(
        _ name: String, _ kind: Kind, default defaultValue: String = "", choices: [String] = [],
        isRequired: Bool = false, help: String
    ) {
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
        self.choices = choices
        self.isRequired = isRequired
        self.help = help
    }
}
