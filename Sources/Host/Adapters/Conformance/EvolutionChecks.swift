import AdapterABI
import Platform
import Readings

/// Hosts that are older or newer than the header that the adapter was built with, and answers that it has not met.
enum EvolutionChecks {
    static let table: [ConformanceCheck] = [
        ConformanceCheck(
            "evolution-older-host", .evolution, "With a shorter meter_host it calls nothing behind struct_size",
        ) { (bench) throws(Finding) in
            // Without spend, the last function.
            let size = unsafe MemoryLayout<meter_host>.size - 8
            try bench.instance(shape: HostShape(structSize: size)).live()
        },
        ConformanceCheck("evolution-newer-host", .evolution, "With a longer meter_host it works as with its own") {
            (bench) throws(Finding) in
            try bench.needsMeter()
            let size = unsafe MemoryLayout<meter_host>.size + 64
            let instance = try bench.instance(shape: HostShape(structSize: size))
            defer { instance.destroy() }
            do throws(AdapterFailure) {
                try instance.create()
                try instance.start()
                defer { instance.stop() }
                try instance.read()
            } catch {
                try bench.needsReading()
                throw .failed(
                    "it says \(error.word): \(error.message)", expected: "a reading: later versions only append fields",
                    advice: "take min(struct_size, sizeof(meter_host)) bytes; a larger size is no fault")
            }
        },
        ConformanceCheck(
            "evolution-no-extensions", .evolution, "With a host that has no extensions it works, or says what it lacks"
        ) { (bench) throws(Finding) in
            let instance = try bench.instance(shape: HostShape(offersExtensions: false))
            do throws(AdapterFailure) {
                try instance.create()
                defer { instance.destroy() }
                try instance.start()
                defer { instance.stop() }
                try instance.read(within: Duration.second)
            } catch {
                guard !error.hasMessage else { return }
                throw .failed(
                    "code \(error.code) and no message", expected: "METER_UNSUPPORTED, and a message",
                    advice: "extension() may answer NULL: say what is missing")
            }
        },
        ConformanceCheck("evolution-emit-answers", .evolution, "It copes with any answer of emit") {
            (bench) throws(Finding) in
            for answer in [METER_EMIT_BUSY, METER_EMIT_INVALID, METER_EMIT_CLOSED, 77] {
                try bench.instance(services: try bench.services(emitAnswer: answer)).live()
            }
        },
        ConformanceCheck(
            "evolution-no-error", .evolution, "A caller that passes no meter_error is answered all the same"
        ) {
            (bench) throws(Finding) in
            try bench.instance(.refused, settings: [:], asksWhy: false).live()
            let instance = try bench.instance(.refused, asksWhy: false)
            instance.live()
            // Another answer is nothing to it.
            guard !instance.ignoresHTTP else { return }
            try bench.instance(.answer(status: 500, body: []), asksWhy: false).live()
        },
    ]
}
