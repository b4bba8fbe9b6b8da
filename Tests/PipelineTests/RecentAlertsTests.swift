import Readings
import Storage
import Testing

@testable import Pipeline

@Suite struct RecentAlertsTests {
    private func alert(_ start: Int64, peakW: Double = 1, ended: Int64? = nil) -> AlertRecord {
        AlertRecord(
            instance: 1, kind: "high_consumption", start: Instant(seconds: start), peakW: peakW,
            ended: ended.map(Instant.init(seconds:)), detail: "")
    }

    @Test func `an episode is there once, as it is now`() {
        var alerts = RecentAlerts()
        alerts.take([alert(1), alert(1, peakW: 2)])
        #expect(alerts.all == [alert(1, peakW: 2)])
        alerts.take([alert(1, peakW: 2, ended: 5), alert(7)])
        #expect(alerts.all == [alert(7), alert(1, peakW: 2, ended: 5)])
    }

    @Test func `of those that have ended the last few are kept, of those that go on all`() {
        var alerts = RecentAlerts()
        alerts.take((0..<50).map { alert($0) })
        #expect(alerts.all.count == 50)
        alerts.take((0..<50).map { alert($0, ended: 100 + $0) })
        #expect(alerts.all.count == 32 && alerts.all.last == alert(49, ended: 149))
    }
}
