import Observability
import Platform
import Readings
import Storage
import Transfer

/// What the webhook is told of an alert, as `docs/alerts.md` describes it.
enum WebhookMessage {
    /// Scheme, host and port of an address.
    static func label(of url: String) -> String {
        "\(url.lowercased().hasPrefix("https://") ? "https" : "http")://\(HTTPClient.server(of: url))"
    }

    /// - Parameter secret: signs time and body; nil = no signature.
    static func request(_ message: OutboundMessage, to url: String, secret: String?, at now: Instant) -> HTTPRequest {
        var request = HTTPRequest(.post, url)
        request.body = body(message)
        request.headers = [("Content-Type", "application/json"), ("X-Smart-Meter-Timestamp", "\(now.seconds)")]
        if let secret {
            let signed = Array("\(now.seconds).".utf8) + request.body
            let code = SHA256.hmac(signed, key: Array(secret.utf8))
            request.headers.append(("X-Smart-Meter-Signature", "sha256=\(code)"))
        }
        // Where a redirect leads is not where the person wanted the house's alerts to go.
        request.followsRedirects = false
        request.ignoresBody = true
        return request
    }

    static func body(_ message: OutboundMessage) -> [UInt8] {
        let (alert, meter) = (message.outbound.alert, message.outbound.meter)
        // An alert may have ended before it could be told that it began.
        let ended = message.state == ended ? alert.ended : nil
        var json = JSONWriter()
        json.beginObject()
        json.field("id", alert.id(of: meter))
        json.field("state", message.state)
        json.field("kind", alert.kind)
        json.field("meter", meter.name)
        json.field("meter_type", meter.meterType)
        json.field("started_at", alert.start)
        json.field("ended_at", ended)
        json.field("peak_w", alert.shownPeakW)
        json.field("detail", alert.detail)
        json.field("message", sentence(alert, meter.name, isEnd: message.state == Self.ended))
        json.endObject()
        return json.bytes
    }

    private static let ended = "ended"

    /// One line for a notification.
    private static func sentence(_ alert: AlertRecord, _ meter: String, isEnd: Bool) -> String {
        let peak = alert.peakW.map { "\(($0 * 10).rounded() / 10) W" } ?? "unknown"
        return switch (alert.kind, isEnd) {
        case ("high_consumption", false): "High power consumption: \(peak), \(alert.detail)"
        case ("high_consumption", true): "High power consumption ended, the peak was \(peak)"
        case ("phantom_load", false): "High phantom load: \(peak) at 3am, \(alert.detail)"
        case ("phantom_load", true): "Phantom load ended, the peak was \(peak)"
        case ("no_data", false): "No data from \(meter): \(alert.detail)"
        case ("no_data", true): "Data from \(meter) again"
        case ("adapter_failing", false): "\(meter) is failing: \(alert.detail)"
        case ("adapter_failing", true): "\(meter) works again"
        case (_, false): "\(alert.kind): \(alert.detail)"
        case (_, true): "\(alert.kind) ended"
        }
    }
}
