import Observability

extension HealthReport {
    /// The body of `/health`: first what the Python service's has, then what is new.
    var json: [UInt8] {
        JSONWriter.body { json in
            json.field("status", status.rawValue)
            json.field("service", "smart-meter-service")
            json.field("uptime_seconds", uptimeSeconds)
            json.field("last_successful_fetch", lastSuccessfulFetch)
            json.field("total_fetches", totalFetches)
            json.field("failed_fetches", failedFetches)
            json.field("success_rate", successRate)
            json.field("timestamp", timestamp)
            json.field("version", version)
            json.array("problems") { json in
                for problem in problems { json.object(problem.write) }
            }
            json.array("adapters") { json in
                for adapter in adapters { json.object(adapter.write) }
            }
            json.object("delivery", delivery.write)
        }
    }
}

extension HealthReport.Fault {
    fileprivate func write(_ json: inout JSONWriter) {
        json.field("severity", severity == .unhealthy ? "unhealthy" : "degraded")
        json.field("what", what)
        json.field("since", since)
        json.field("todo", todo)
    }
}

extension HealthReport.Adapter {
    fileprivate func write(_ json: inout JSONWriter) {
        json.field("instance", instance)
        json.field("meter_type", meterType)
        json.field("state", state)
        json.field("since", since)
        json.field("attempts", attempts)
        json.field("failures", failures)
        json.field("consecutive_failures", consecutiveFailures)
        json.field("last_success", lastSuccess)
        json.field("last_error", lastError)
        json.field("last_error_at", lastErrorAt)
        json.field("next_run", nextRun)
        json.field("simulated", isSimulated)
    }
}

extension HealthReport.Delivery {
    fileprivate func write(_ json: inout JSONWriter) {
        json.field("state", state)
        json.field("destination", destination)
        json.field("backlog_points", backlogPoints)
        json.field("oldest_waiting", oldestWaiting)
        json.field("last_answer", lastAnswer)
        json.field("last_success", lastSuccess)
        json.field("delivered", delivered)
        json.field("rejected", rejected)
    }
}
