import AdapterABI
import FakeHost
import TestSupport
import Testing

/// What a poll asks and emits.
extension EmporiaTests {
    @Suite struct LiveTests {
        private func circuit(_ id: String, _ reading: EmittedReading) throws -> EmittedCircuit {
            try #require(reading.circuits.first { $0.id == id }, "\(reading.circuits.map(\.id))")
        }

        private func isClose(_ value: Double?, _ expected: Double, _ tolerance: Double = 0.001) -> Bool {
            value.map { abs($0 - expected) <= tolerance } ?? false
        }

        @Test func `a poll is one request for all devices, and once in a quarter hour a second one`() throws {
            let rig = try Rig()
            try rig.instance.start()
            #expect(try rig.cloud.takeRequests() == ["InitiateAuth", "RespondToAuthChallenge", "/customers/devices"])
            try rig.read()
            let first = try rig.cloud.takeRequests()
            #expect(
                first == [
                    "/AppAPI?apiMethod=getDeviceListUsages&deviceGids=2345+9876&instant=2026-01-05T11:58:00Z&scale=1MIN"
                        + "&energyUnit=KilowattHours",
                    "/AppAPI?apiMethod=getDeviceListUsages&deviceGids=2345+9876&instant=2026-01-05T11:58:00Z&scale=1D"
                        + "&energyUnit=KilowattHours",
                ])
            for _ in 1...30 { try rig.read(after: 60) }
            let requests = try rig.cloud.takeRequests()
            #expect(requests.filter { $0.contains("1MIN") }.count == 30)
            #expect(requests.filter { $0.contains("scale=1D") }.count == 2)
            #expect(requests.count == 32)
            #expect(Set(requests).count == 32, "nothing is asked for twice")
        }

        @Test func `a reading is the minute that is complete, with circuits by their names and what hangs on them`()
            throws
        {
            let rig = try Rig()
            try rig.instance.start()
            let reading = try #require(try rig.read().last)
            let minute = Rig.noon - 120
            #expect(reading.timestamp == Int64(minute + 60) * Rig.second && reading.period == 60 * Rig.second)
            #expect(reading.known == METER_GRID_POWER)
            let mains = rig.cloud.account.kWh(2345, "1,2,3", at: minute)
            #expect(isClose(reading.gridPowerW, mains * 60_000))
            #expect(isClose(reading.periodImportKWh, mains, 1e-7) && reading.periodExportKWh == 0)
            #expect(
                reading.circuits.map(\.name).sorted() == ["Desk lamp", "Dryer", "Heat pump", "Küche", "Office"])
            for (id, number, kind) in [
                ("2345-1", "1", METER_KIND_LOAD), ("2345-2", "2", METER_KIND_HEATING), ("2345-3", "3", METER_KIND_LOAD),
            ] {
                let circuit = try circuit(id, reading)
                let kWh = rig.cloud.account.kWh(2345, number, at: minute)
                #expect(isClose(circuit.powerW, kWh * 60_000) && isClose(circuit.periodEnergyKWh, kWh, 1e-7))
                #expect(circuit.kind == kind && circuit.parentID.isEmpty)
            }
            let lamp = try circuit("9876-1,2,3", reading)
            #expect(lamp.parentID == "2345-3")
            #expect(isClose(lamp.powerW, rig.cloud.account.kWh(9876, "1,2,3", at: minute) * 60_000))
            let top = reading.circuits.filter(\.parentID.isEmpty).compactMap(\.powerW).reduce(0, +)
            #expect(isClose(reading.gridPowerW, top + 0.004 * 60_000), "what hangs on a circuit is not counted twice")
        }

        @Test(arguments: [1, -1])
        func `a roof, a circuit of two legs and a sub-panel each count once, in their direction`(sign: Int) throws {
            var account = EmporiaAccount.roof
            account.to_grid_sign = sign
            let rig = try Rig(account)
            try rig.instance.start()
            let reading = try #require(try rig.read().last)
            let minute = Rig.noon - 120
            #expect(reading.known == METER_GRID_POWER | METER_SOLAR_POWER)
            let mains = account.kWh(2345, "1,2,3", at: minute)
            #expect(mains != 0 && isClose(reading.gridPowerW, mains * 60_000))
            #expect(isClose(reading.periodExportKWh, max(0, -mains), 1e-7))
            #expect(isClose(reading.periodImportKWh, max(0, mains), 1e-7))
            let produced = -account.kWh(2345, "2", at: minute)
            #expect(
                isClose(reading.solarPowerW, produced * 60_000) && isClose(reading.periodProductionKWh, produced, 1e-7))
            let inverter = try circuit("2345-2", reading)
            #expect(inverter.kind == METER_KIND_SOLAR && isClose(inverter.powerW, produced * 60_000))
            let oven = try circuit("2345-97", reading)
            #expect(oven.name == "Oven" && isClose(oven.powerW, account.kWh(2345, "97", at: minute) * 60_000))
            let garage = try circuit("3456-1,2,3", reading)
            #expect(garage.name == "Garage" && garage.parentID == "2345-3")
            let charger = try circuit("3456-1", reading)
            #expect(charger.parentID == "3456-1,2,3" && charger.kind == METER_KIND_EV)
            let consuming = reading.circuits.filter { $0.parentID.isEmpty && $0.kind != METER_KIND_SOLAR }
            let house = (reading.gridPowerW ?? 0) + (reading.solarPowerW ?? 0)
            #expect(isClose(house, consuming.compactMap(\.powerW).reduce(0, +) + 0.002 * 60_000))
        }

        @Test func `a circuit that is shown without what hangs on it is made whole`() throws {
            var account = EmporiaAccount.roof
            account.nests_net = true
            let rig = try Rig(account)
            try rig.instance.start()
            let reading = try #require(try rig.read().last)
            let feed = try circuit("2345-3", reading)
            #expect(isClose(feed.powerW, account.kWh(2345, "3", at: Rig.noon - 120) * 60_000))
        }

        @Test func `several monitors are the grid together, and shown one by one`() throws {
            let other = EmporiaAccount.Device(
                5000, "Annex",
                channels: [.init("1,2,3", nil, type: "Main"), .init("1", "Heater", base: 0.01)], balance: 0.001)
            let account = EmporiaAccount(devices: EmporiaAccount.home.devices + [other])
            let rig = try Rig(account)
            try rig.instance.start()
            let reading = try #require(try rig.read().last)
            let mains = [2345, 5000].map { account.kWh($0, "1,2,3", at: Rig.noon - 120) * 60_000 }
            #expect(isClose(reading.gridPowerW, mains[0] + mains[1]))
            let annex = try circuit("5000-1,2,3", reading)
            #expect(annex.kind == METER_KIND_GRID && annex.name == "Annex" && isClose(annex.powerW, mains[1]))
            #expect(try circuit("5000-1", reading).parentID.isEmpty)
        }

        @Test(arguments: ["home", "2345", "HOME, Desk lamp"])
        func `devices are chosen by name or number`(devices: String) throws {
            let other = EmporiaAccount.Device(
                5000, "Annex", channels: [.init("1,2,3", nil, type: "Main")], balance: 0.001)
            let rig = try Rig(
                EmporiaAccount(devices: EmporiaAccount.home.devices + [other]), settings: ["devices": devices])
            try rig.instance.start()
            let reading = try #require(try rig.read().last)
            #expect(isClose(reading.gridPowerW, rig.cloud.account.kWh(2345, "1,2,3", at: Rig.noon - 120) * 60_000))
            #expect(reading.circuits.count == (devices.contains("lamp") ? 5 : 4))
        }

        @Test func `a plug alone is a circuit, and no house`() throws {
            let rig = try Rig(settings: ["devices": "Desk lamp"])
            try rig.instance.start()
            let reading = try #require(try rig.read().last)
            #expect(reading.known == 0 && reading.gridPowerW == nil)
            #expect(reading.circuits.map(\.id) == ["9876-1,2,3"])
            #expect(rig.host.logs.contains { $0.contains("circuits only") })
        }

        @Test func `a new name is taken up without a restart`() throws {
            let rig = try Rig()
            try rig.instance.start()
            try rig.read()
            let renamed =
                #"{"customerGid":1,"devices":[{"deviceGid":2345,"model":"VUE002","channels":[{"channelNum":"1,2,3","#
                + #""type":"Main"}],"devices":[{"channels":[{"channelNum":"1","name":"Tumbler"}]}]}]}"#
            try rig.fault("/customers/devices", 200, ["body": renamed])
            let reading = try #require(try rig.read(after: 6 * 3600).last)
            #expect(try circuit("2345-1", reading).name == "Tumbler")
            // A list that cannot be had is no reason to lose a reading.
            try rig.fault("/customers/devices", 500)
            try rig.read(after: 6 * 3600)
        }

        // MARK: The day

        @Test func `the day's figure is what the house has used since its own midnight`() throws {
            let rig = try Rig()
            try rig.instance.start()
            let first = try #require(try rig.read().last)
            let midnight = Rig.noon - 7 * 3600
            let truth = rig.cloud.account.kWh(2345, "1,2,3", from: midnight, to: Rig.noon)
            #expect(isClose(first.dayEnergyKWh, truth, 1e-5))
            let second = try #require(try rig.read(after: 60).last)
            #expect(second.dayEnergyKWh == nil)
            let later = try #require(try rig.read(after: 900).last)
            #expect((later.dayEnergyKWh ?? 0) > truth)
        }

        @Test func `with a roof the day's figure is grid and production together`() throws {
            let rig = try Rig(.roof)
            try rig.instance.start()
            let reading = try #require(try rig.read().last)
            let midnight = Rig.noon - 7 * 3600
            let account = rig.cloud.account
            let truth =
                account.kWh(2345, "1,2,3", from: midnight, to: Rig.noon)
                - account.kWh(2345, "2", from: midnight, to: Rig.noon)
            #expect(isClose(reading.dayEnergyKWh, truth, 1e-5))
        }

        @Test func `a reading does without the day's figure where that is not to be had`() throws {
            let rig = try Rig()
            try rig.instance.start()
            let target =
                "/AppAPI?apiMethod=getDeviceListUsages&deviceGids=2345+9876&instant=2026-01-05T11:58:00Z&scale=1D"
            try rig.fault(target, 500)
            let reading = try #require(try rig.read().last)
            #expect(reading.gridPowerW != nil && reading.dayEnergyKWh == nil)
        }
    }
}
