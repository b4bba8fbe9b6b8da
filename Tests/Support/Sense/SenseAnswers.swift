import Foundation

/// What Sense's cloud says of a monitor, as JSON.
struct SenseAnswers {
    let model: SenseModel
    /// Seconds since the epoch.
    let now: Double

    func status() -> [String: Any] {
        [
            "signals": ["progress": 100, "status": "OK"],
            "monitor_info": [
                "version": model.version, "online": model.isOnline, "ssid": "house", "mac": "a4:d5:78:00:00:00",
            ],
        ]
    }

    func overview() -> [String: Any] {
        ["monitor_overview": ["checksum": "5F3A", "monitor": monitor(), "num_devices": model.devices.count]]
    }

    /// As `authenticate` has it, too.
    func monitor() -> [String: Any] {
        [
            "id": model.id, "time_zone": model.zone, "solar_configured": model.solar != nil,
            "solar_connected": model.solar != nil,
            "online": model.isOnline, "serial_number": "N000000000",
        ]
    }

    func devicesOverview() -> [String: Any] {
        [
            "devices": model.devices.filter { !["always_on", "unknown"].contains($0.id) }.map { device in
                ["id": device.id, "name": device.name, "icon": device.icon, "tags": tags(device)] as [String: Any]
            }
        ]
    }

    private func tags(_ device: SenseModel.Device) -> [String: Any] {
        device.tags.mapValues { tag -> Any in
            switch tag {
            case .text(let text): text
            case .flag(let flag): flag
            }
        }
    }

    func realtime() -> [String: Any] {
        let used = model.consumptionW(at: now)
        var devices: [[String: Any]] = model.devices.compactMap { device in
            let watts = model.watts(device, at: now)
            guard watts > 0 else { return nil }
            var entry: [String: Any] = ["id": device.id, "name": device.name, "icon": device.icon, "w": watts]
            if !["always_on", "unknown"].contains(device.id) { entry["tags"] = tags(device) }
            return entry
        }
        var answer: [String: Any] = [
            "voltage": [122.46, 122.23], "hz": 60.0001, "w": used, "d_w": Int(used), "frame": model.frame(at: now),
            "channels": [used / 2, used / 2], "grid_w": Int(used),
        ]
        if let solar = model.solarW(at: now) {
            answer["solar_w"] = solar
            answer["d_solar_w"] = Int(solar)
            answer["grid_w"] = Int(used - solar)
            answer["solar_pct"] = Int(100 * solar / used)
            if solar > 0 {
                devices.append([
                    "id": "solar", "name": "Solar", "icon": "solar_alt", "w": solar,
                    "tags": ["DeviceListAllowed": "false"],
                ])
            }
        }
        answer["devices"] = devices
        return answer
    }

    // MARK: History

    /// Nil = no such scale.
    func usage(_ scale: String, start: Double) throws -> [String: Any]? {
        guard let period = try period(scale, start) else { return nil }
        let steps = self.steps(scale, period)
        let energies = steps.map { energy(from: $0, to: $1) }
        let total = energy(from: period.start, to: period.end)
        let breakdown = model.devices.enumerated().map { index, device in
            [
                "id": device.id, "name": device.name, "icon": device.icon,
                "consumption": [
                    "usage_total_kwh": total.devices[index], "usage_breakdown_kwh": energies.map { $0.devices[index] },
                ] as [String: Any],
            ] as [String: Any]
        }
        return [
            "start": Self.text(period.start), "end": Self.text(period.end),
            "consumption": ["usage_total_kwh": total.used, "usage_breakdown_kwh": energies.map(\.used)]
                as [String: Any],
            "device_breakdown": breakdown,
        ]
    }

    func solarUsage(_ scale: String, start: Double) throws -> [String: Any]? {
        guard let period = try period(scale, start) else { return nil }
        let energies = steps(scale, period).map { energy(from: $0, to: $1) }
        let total = energy(from: period.start, to: period.end)
        return [
            "total": [
                "from_grid_kwh": total.fromGrid, "to_grid_kwh": total.toGrid, "production_kwh": total.made,
                "net_kwh": total.made - total.used,
                "solar_percentage": total.used > 0 ? Int(100 * min(total.made, total.used) / total.used) : 0,
            ] as [String: Any],
            "breakdown": ["net_kwh": energies.map { $0.made - $0.used }, "production_kwh": energies.map(\.made)],
        ]
    }

    private func period(_ scale: String, _ start: Double) throws -> (start: Int, end: Int)? {
        let components: [String: Calendar.Component] = [
            "DAY": .day, "WEEK": .weekOfYear, "MONTH": .month, "YEAR": .year, "CYCLE": .month,
        ]
        return try components[scale].map { try model.period($0, of: start) }
    }

    /// Hours of a day; of what is longer, days of 24 hours.
    private func steps(_ scale: String, _ period: (start: Int, end: Int)) -> [(Int, Int)] {
        let step = scale == "DAY" ? 3600 : 86_400
        return stride(from: period.start, to: period.end, by: step).map { ($0, min($0 + step, period.end)) }
    }

    /// What is counted of it by now.
    private func energy(from begin: Int, to end: Int) -> SenseModel.Energy {
        let isToday = (try? model.day(of: now)).map { begin >= $0.start } ?? false
        let last = model.isDayStuck && isToday ? begin : min(end, model.counted(at: now))
        return model.energy(from: begin, to: max(begin, last))
    }

    private static func text(_ time: Int) -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.string(from: Date(timeIntervalSince1970: Double(time)))
    }
}
