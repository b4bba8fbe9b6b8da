import Foundation
import Readings
import Testing

@testable import Analysis
@testable import Observability
@testable import Pipeline
@testable import Storage

@Suite struct InstanceWatchTests {
    /// 2026-06-01T12:00:00Z, and minutes after it. Slots of these hosts are of five minutes: three are 15.
    private func at(_ minutes: Int64) -> Instant { Instant(seconds: 1_780_315_200) + minutes * Duration.minute }

    private func withHost(_ body: (DataDirectory, inout RunningHost) throws -> Void) throws {
        try withDirectory { directory in
            var host = try host(directory, at: at(0))
            try body(directory, &host)
        }
    }

    private func host(
        _ directory: DataDirectory, at wall: Instant, highThresholdW: Double = 100_000
    ) throws -> RunningHost {
        try RunningHost(
            directory: directory, zone: .utc, at: wall, highThresholdW: highThresholdW, tellsAlerts: true)
    }

    /// - Parameter sampling: minutes until the next reading was to come.
    private func read(
        _ host: inout RunningHost, _ minute: Int64, sampling: Int64 = 1, powerW: Double = 500
    ) throws {
        host.emit(
            Emission(
                instance: host.instance, timestamp: at(minute), sampling: sampling * Duration.minute, known: [.grid],
                powers: Powers(gridW: powerW), circuits: [], catalog: CircuitCatalog(circuits: [], version: 1)))
        host.turn(wall: at(minute))
    }

    /// Kinds with the minutes of their start and end, and what the webhook is to be told.
    private func alerts(_ directory: DataDirectory) throws -> [String] {
        let reader = try Reader(directory: directory)
        var alerts: [String] = []
        try reader.forEachAlert(from: Instant(seconds: 0), to: at(1_000_000), onlyWaiting: false) { outbound in
            let alert = outbound.alert
            let minutes = [alert.start, alert.ended].map { $0.map { "\(($0 - at(0)) / Duration.minute)" } ?? "" }
            alerts.append("\(alert.kind) \(minutes[0])-\(minutes[1])")
        }
        return alerts
    }

    private func messages(_ directory: DataDirectory) throws -> [String] {
        try Reader(directory: directory).waitingMessages().map { "\($0.outbound.alert.kind) \($0.state)" }
    }

    @Test func `three slots without a reading are an alert, and the next reading ends it`() throws {
        try withHost { directory, host in
            try read(&host, 1)
            #expect(host.nextWake(wall: at(1)) ?? .max <= at(16).nanoseconds)
            host.turn(wall: at(15))
            #expect(try alerts(directory).isEmpty)
            host.turn(wall: at(16))
            #expect(try alerts(directory) == ["no_data 1-"])
            host.turn(wall: at(60))
            try read(&host, 70)
            #expect(try alerts(directory) == ["no_data 1-70"])
            #expect(try messages(directory) == ["no_data raised", "no_data ended"])
            // And a second time.
            host.turn(wall: at(85))
            try read(&host, 90)
            #expect(try alerts(directory) == ["no_data 1-70", "no_data 70-90"])
        }
    }

    @Test func `a meter that is read less often, as planned, is not silent before three readings are missing`() throws {
        try withHost { directory, host in
            try read(&host, 1)
            // The ration has to last, and then it is renewed.
            for minute: Int64 in [10, 30, 50] { try read(&host, minute, sampling: 20) }
            host.report(.failing("unreachable"), wall: at(70))
            host.report(.working, wall: at(100))
            host.turn(wall: at(109))
            #expect(try alerts(directory).isEmpty)
            host.turn(wall: at(110))
            #expect(try alerts(directory) == ["no_data 50-"])
            try read(&host, 120)
            host.turn(wall: at(135))
            #expect(try alerts(directory) == ["no_data 50-120", "no_data 120-"])
        }
    }

    @Test func `a meter that never answers is one without data, too`() throws {
        try withHost { directory, host in
            host.turn(wall: at(14))
            try #require(alerts(directory).isEmpty)
            host.turn(wall: at(15))
            #expect(try alerts(directory) == ["no_data 0-"])
        }
    }

    @Test func `an episode goes on over a restart, is told once, and time without the host is not the meter's`() throws
    {
        try withHost { directory, host in
            try read(&host, 1)
            host.turn(wall: at(16))
            host.stop(wall: at(17))
            host = try self.host(directory, at: at(100))
            host.turn(wall: at(101))
            host.turn(wall: at(130))
            #expect(try alerts(directory) == ["no_data 1-"])
            try read(&host, 140)
            #expect(try alerts(directory) == ["no_data 1-140"])
            #expect(try messages(directory) == ["no_data raised", "no_data ended"])
            host.stop(wall: at(141))
            // Off for an hour: nothing was due then.
            host = try self.host(directory, at: at(200))
            host.turn(wall: at(214))
            #expect(try alerts(directory) == ["no_data 1-140"])
        }
    }

    @Test func `an adapter that fails for three slots is an alert, and a success ends it`() throws {
        try withHost { directory, host in
            for minute in 1...13 { try read(&host, Int64(minute)) }
            host.report(.failing("unreachable"), wall: at(13))
            host.report(.working, wall: at(20))
            try read(&host, 20)
            host.report(.failing("unreachable"), wall: at(21))
            host.report(.starting, wall: at(25))
            host.report(.failing("timeout"), wall: at(30))
            try read(&host, 30)
            host.turn(wall: at(35))
            #expect(try alerts(directory).isEmpty, "a success between them begins anew")
            host.turn(wall: at(36))
            #expect(try alerts(directory) == ["adapter_failing 21-"])
            #expect(try Reader(directory: directory).waitingAlerts().first?.alert.detail == "timeout")
            host.report(.working, wall: at(40))
            #expect(try alerts(directory) == ["adapter_failing 21-40"])
            #expect(try messages(directory) == ["adapter_failing raised", "adapter_failing ended"])
        }
    }

    @Test func `what waits for a person is told at once`() throws {
        try withHost { directory, host in
            try read(&host, 1)
            host.report(.stuck("401"), wall: at(2))
            #expect(try alerts(directory) == ["adapter_failing 2-"])
            host.report(.stuck("401"), wall: at(3))
            #expect(try messages(directory) == ["adapter_failing raised"])
        }
    }

    @Test func `an instance that is paused or gone is neither silent nor failing`() throws {
        for condition in [InstanceReport.Condition.off, nil] {
            try withHost { directory, host in
                try read(&host, 1)
                host.report(.stuck("401"), wall: at(2))
                host.turn(wall: at(20))
                #expect(try alerts(directory) == ["no_data 1-", "adapter_failing 2-"])
                host.report(condition, wall: at(30))
                #expect(try alerts(directory) == ["no_data 1-30", "adapter_failing 2-30"])
                host.turn(wall: at(600))
                #expect(try alerts(directory).count == 2)
                // Wanted again: three slots from then on.
                host.report(.starting, wall: at(600))
                host.report(.working, wall: at(601))
                host.turn(wall: at(614))
                #expect(try alerts(directory).count == 2)
                host.turn(wall: at(615))
                #expect(try alerts(directory).count == 3)
            }
        }
    }

    @Test func `what a run before left open of an instance that is not there any more ends`() throws {
        try withHost { directory, host in
            let (store, gone) = (try Store.open(in: directory).store, InstanceIdentity(meterType: "gone"))
            var plan = CommitPlan()
            plan.alerts = ["no_data", "adapter_failing", "high_consumption"].map { kind in
                AlertRecord(
                    instance: (try? store.number(of: gone)) ?? 0, kind: kind, start: at(-10), peakW: nil, ended: nil,
                    detail: "")
            }
            try store.commit(plan)
            host.report(.working, wall: at(1))
            #expect(
                try alerts(directory).sorted() == ["adapter_failing -10-1", "high_consumption -10-1", "no_data -10-1"])
        }
    }

    @Test func `an alert over the house ends where its meter is the house no more, and is told`() throws {
        for (kind, isGone) in [("high_consumption", false), ("phantom_load", false), ("phantom_load", true)] {
            try withHost { directory, host in
                let (store, other) = (try Store.open(in: directory).store, InstanceIdentity(meterType: "other"))
                store.tellsAlerts = true
                let number = isGone ? try store.number(of: other) : host.instance
                var plan = CommitPlan()
                plan.alerts = [
                    AlertRecord(
                        instance: number, kind: kind, start: at(-10), peakW: 741, ended: nil, detail: "above 100.0 W",
                        isNews: true)
                ]
                try store.commit(plan)
                if !isGone {
                    host.report(.working, wall: at(0))
                    #expect(try alerts(directory) == ["\(kind) -10-"], "the house's own goes on")
                }
                host.report(.working, isHouse: isGone, wall: at(1))
                #expect(try alerts(directory) == ["\(kind) -10-1"])
                #expect(try messages(directory) == ["\(kind) raised", "\(kind) ended"])
                #expect(try Reader(directory: directory).waitingAlerts().map(\.alert.detail) == ["above 100.0 W"])
            }
        }
    }

    @Test func `an instance that was the house raises nothing, and nothing of what was open comes back`() throws {
        try withHost { directory, host in
            host = try self.host(directory, at: at(0), highThresholdW: 100)
            try read(&host, 1)
            #expect(try alerts(directory) == ["high_consumption 1-"])
            host.report(.working, isHouse: false, wall: at(2))
            for minute in 3...9 { try read(&host, Int64(minute), powerW: 500 + Double(minute)) }
            #expect(try alerts(directory) == ["high_consumption 1-2"])
            host.report(.working, wall: at(10))
            try read(&host, 11)
            #expect(try alerts(directory) == ["high_consumption 1-2", "high_consumption 11-"])
        }
    }

    @Test func `an episode keeps the threshold that it was raised by, whatever it is when it ends`() throws {
        try withHost { directory, host in
            host = try self.host(directory, at: at(0), highThresholdW: 100)
            try read(&host, 1)
            host.stop(wall: at(2))
            host = try self.host(directory, at: at(3))
            try read(&host, 4)
            try read(&host, 10)
            #expect(try alerts(directory) == ["high_consumption 1-4"])
            let told = try Reader(directory: directory).waitingMessages().map(\.outbound.alert.detail)
            #expect(told == ["above 100.0 W", "above 100.0 W"])
        }
    }

    @Test func `an adapter that was never found is an alert without having run`() throws {
        try withHost { directory, host in
            try read(&host, 1)
            var watches = InstanceWatches()
            var plan = CommitPlan()
            let store = try Store.open(in: directory).store
            let absent = InstanceReport(
                identity: InstanceIdentity(meterType: "absent"), condition: .failing("no adapter of type absent"),
                isHouse: false, interval: Duration.minute, sampling: 0)
            watches.take([absent])
            func judge(_ minute: Int64) throws -> Bool {
                watches.judge(
                    at: InstanceWatch.Moment(wall: at(minute), monotonic: at(minute).nanoseconds), plan: &plan,
                    store: store, log: try Log(level: .error))
            }
            #expect(try !judge(1))
            #expect(try !judge(3))
            #expect(try judge(4))
            #expect(plan.alerts.map(\.kind) == ["adapter_failing"])
            #expect(plan.alerts.first?.detail == "no adapter of type absent")
        }
    }

    @Test func `a step of the clock is no silence, and an episode begins where it began by the clock of now`() {
        var watch = InstanceWatch(number: 1, identity: InstanceIdentity(meterType: "test"), open: [])
        func moment(_ wall: Instant, _ monotonic: Int64) -> InstanceWatch.Moment {
            InstanceWatch.Moment(wall: wall, monotonic: monotonic * Duration.minute)
        }
        watch.begin(patience: 15 * Duration.minute, at: moment(Instant(seconds: 0), 0))
        #expect(watch.hear(sampling: 0, at: moment(at(0), 5)).isEmpty)
        #expect(watch.judge(at: moment(at(10_000), 6)).isEmpty)
        #expect(watch.due == 20 * Duration.minute)
        let raised = watch.judge(at: moment(at(0), 20))
        #expect(raised.map(\.start) == [at(-15)])
        #expect(watch.due == nil)
        // Set back while it went on.
        let ended = watch.hear(sampling: 0, at: moment(at(-100), 21))
        #expect(ended.map(\.ended) == [at(-15)])
    }

    @Test func `a paused instance that is set up anew is not listened to until it is resumed`() {
        var watch = InstanceWatch(number: 1, identity: InstanceIdentity(meterType: "test"), open: [])
        func moment(_ minutes: Int64) -> InstanceWatch.Moment {
            InstanceWatch.Moment(wall: at(minutes), monotonic: minutes * Duration.minute)
        }
        func report(_ condition: InstanceReport.Condition) -> InstanceReport {
            InstanceReport(
                identity: watch.identity, condition: condition, isHouse: true, interval: 5 * Duration.minute,
                sampling: 1)
        }
        watch.begin(patience: 15 * Duration.minute, at: moment(0))
        #expect(watch.take(report(.off), at: moment(1)).isEmpty)
        // Changed settings; how it does is not reported again, since that has not changed.
        watch.begin(patience: 15 * Duration.minute, at: moment(2))
        #expect(watch.judge(at: moment(60)).isEmpty)
        #expect(watch.due == nil)
        #expect(watch.take(report(.starting), at: moment(60)).isEmpty)
        #expect(watch.due == 75 * Duration.minute)
    }

    @Test func `a night is news when it is judged on its day, and is told once`() throws {
        for (delay, told) in [(Duration.hour, ["phantom_load raised"]), (Duration.day, [])] {
            let path = "/dev/shm/smart-meter-watch-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            let directory = try DataDirectory(locking: path)
            let midnight = at(-12 * 60)
            var host = try RunningHost(
                directory: directory, zone: .utc, at: midnight, phantomThresholdW: 200, tellsAlerts: true)
            for minute in stride(from: Int64(0), to: 4 * 60 + 15, by: 5) {
                host.emit(
                    Emission(
                        instance: host.instance, timestamp: midnight + minute * Duration.minute, period: 0,
                        sampling: 5 * Duration.minute, known: [.grid], powers: Powers(gridW: 500), circuits: [],
                        catalog: CircuitCatalog(circuits: [], version: 1)))
                if delay == Duration.hour { host.turn(wall: midnight + minute * Duration.minute) }
            }
            host.turn(wall: midnight + 5 * Duration.hour + delay)
            let phantom = try messages(directory).filter { $0.hasPrefix("phantom") }
            #expect(phantom == told, "\(delay)")
        }
    }
}
