import AdapterABI
import FakeHost
import Foundation
import Synchronization
import TestSupport
import Testing

/// Answers that no service should give: what is bad is named, the rest is used, and nothing ends the process.
@Suite struct HostileTests {
    /// Canned answers; what was not set is as it should be.
    private final class Canned: Sendable {
        let answers = Mutex<[String: String]>([:])

        static let good = [
            "InitiateAuth": #"{"AuthenticationResult":{"IdToken":"abc","ExpiresIn":3600}}"#,
            "devices":
                #"{"devices":[{"deviceGid":1,"model":"VUE002","locationProperties":{"deviceName":"Home"},"channels":"#
                + #"[{"channelNum":"1,2,3","type":"Main"}],"devices":[{"channels":[{"channelNum":"1","name":"Oven"}]}]}]}"#,
            "usage":
                #"{"deviceListUsages":{"devices":[{"deviceGid":1,"channelUsages":[{"channelNum":"1,2,3","usage":0.02},"#
                + #"{"channelNum":"1","usage":0.01},{"channelNum":"Balance","usage":0.01}]}]}}"#,
            "chart": #"{"firstUsageInstant":"2026-01-04T12:00:00Z","usageList":[0.01,null,0.02]}"#,
        ]

        @Sendable func answer(_ request: FakeRequest) -> FakeAnswer {
            let kind =
                request.headers["X-Amz-Target"] != nil
                ? "InitiateAuth"
                : request.url.contains("/customers")
                    ? "devices"
                    : request.url.contains("getChartUsage") ? "chart" : "usage"
            return .answer(status: 200, body: answers.withLock { $0[kind] } ?? Self.good[kind] ?? "")
        }
    }

    private func started(_ canned: Canned, starts: Bool = true) throws -> (host: FakeHost, instance: InstanceUnderTest)
    {
        let host = FakeHost(settings: ["email": "a@b", "password": "p"], respond: canned.answer)
        host.values = [
            "tokens": Array(
                #"{"email":"a@b","server":"https://cognito-idp.us-east-2.amazonaws.com","refresh_token":"r"}"#.utf8)
        ]
        host.wall = Int64(Rig.noon) * Rig.second
        let instance = try Rig.adapter().create(host)
        if starts { try instance.start() }
        return (host, instance)
    }

    private static let nonsense = [
        "", "null", "[]", "{}", "<html>", "{\"devices\":7}", "{\"devices\":[7,null,{}]}", "{\"deviceListUsages\":null}",
        "{\"deviceListUsages\":{\"devices\":{}}}", "{\"usageList\":{}}", "{\"AuthenticationResult\":7}",
        "{\"AuthenticationResult\":{\"IdToken\":\"a b\"}}", "{\"AuthenticationResult\":{\"IdToken\":\"\"}}",
        "{\"AuthenticationResult\":{\"IdToken\":\"a\\r\\nX: y\"}}", "{\"ChallengeName\":7}",
        "{\"ChallengeName\":\"PASSWORD_VERIFIER\"}", String(repeating: "[", count: 100_000),
    ]

    @Test(arguments: nonsense) func `an answer that is none is told as such`(body: String) throws {
        for kind in ["InitiateAuth", "devices", "usage"] {
            let canned = Canned()
            canned.answers.withLock { $0[kind] = body }
            let (host, instance) = try started(canned, starts: false)
            do {
                try instance.start()
                try instance.read()
                #expect(host.emissions.count == 1)
            } catch let failure as AdapterFailure {
                #expect(
                    [METER_BAD_DATA, METER_NO_DATA, METER_CREDENTIALS_REFUSED].contains(failure.code),
                    "\(kind): \(failure)")
            }
        }
        let canned = Canned()
        let (host, instance) = try started(canned)
        try instance.read()
        canned.answers.withLock { $0["chart"] = body }
        let from = Int64(Rig.noon - 86_400) * Rig.second
        do {
            let answer = try instance.history(from: from, to: from + 3600 * Rig.second, step: 60 * Rig.second)
            #expect(answer.records.isEmpty)
        } catch let failure as AdapterFailure {
            #expect(failure.code == METER_BAD_DATA)
        }
        withExtendedLifetime(host) {}
    }

    @Test(
        arguments: [
            (#"{"channelNum":"1,2,3","usage":1e999}"#, nil), (#"{"channelNum":"1,2,3","usage":"0.02"}"#, nil),
            (#"{"channelNum":"1,2,3","usage":true}"#, nil), (#"{"channelNum":"1,2,3"}"#, nil),
            (#"{"channelNum":7,"usage":0.02}"#, nil), (#"{"channelNum":"1,2,3","usage":-0.02}"#, -1200),
            (#"{"channelNum":"1,2,3","usage":0.02,"nestedDevices":[null,7,{"deviceGid":"x"}]}"#, 1200),
            (
                #"{"channelNum":"1,2,3","usage":0.02,"nestedDevices":[{"deviceGid":1,"channelUsages":"#
                    + #"[{"channelNum":"1","usage":0.01,"nestedDevices":[{"deviceGid":1}]}]}]}"#, 1200
            ),
        ] as [(String, Double?)])
    func `one bad figure costs that figure alone`(channel: String, gridW: Double?) throws {
        let canned = Canned()
        canned.answers.withLock {
            $0["usage"] =
                #"{"deviceListUsages":{"devices":[{"deviceGid":1,"channelUsages":[\#(channel),"#
                + #"{"channelNum":"1","usage":0.01}]}]}}"#
        }
        let (_, instance) = try started(canned)
        let reading = try instance.read()
        #expect(reading.gridPowerW == gridW)
        #expect(reading.circuits.contains { $0.name == "Oven" && $0.powerW == 600 })
    }

    @Test func `a huge answer is cut to what a house may have`() throws {
        let canned = Canned()
        let channels = (1...30_000).map { "{\"channelNum\":\"\($0)\",\"usage\":0.01}" }.joined(separator: ",")
        canned.answers.withLock {
            $0["usage"] = "{\"deviceListUsages\":{\"devices\":[{\"deviceGid\":1,\"channelUsages\":[\(channels)]}]}}"
        }
        let (_, instance) = try started(canned)
        #expect(try instance.read().circuits.count == 2000)
    }

    @Test func `damaged answers give a reading or a reason`() throws {
        for seed in 0..<300 {
            var random = SeededRandom(seed: UInt64(seed))
            let canned = Canned()
            for kind in ["devices", "usage", "chart"] {
                var bytes = Array((Canned.good[kind] ?? "").utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: bytes.indices, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: bytes[place] = UInt8.random(in: 0x20...0x7E, using: &random)
                    case 1: bytes.remove(at: place)
                    default: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
                    }
                }
                canned.answers.withLock { $0[kind] = String(decoding: bytes, as: UTF8.self) }
            }
            let (host, instance) = try started(canned, starts: false)
            // No second request: it would cost a second each.
            host.isCancelled = true
            do {
                try instance.start()
                try instance.read()
                let from = Int64(Rig.noon - 86_400) * Rig.second
                _ = try instance.history(from: from, to: from + 3600 * Rig.second, step: 60 * Rig.second)
            } catch let failure as AdapterFailure {
                #expect(
                    [METER_BAD_DATA, METER_NO_DATA, METER_CANCELLED].contains(failure.code),
                    "seed \(seed): \(failure.message)")
            }
        }
    }
}
