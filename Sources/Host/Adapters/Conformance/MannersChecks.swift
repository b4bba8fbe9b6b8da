import AdapterABI
import CLinux
import Configuration
import Glibc
import Platform
import Readings

/// What belongs to all of the process is left alone. The checks look at one child that lives through good and bad days.
enum MannersChecks {
    static let table: [ConformanceCheck] = [
        ConformanceCheck("manners-output", .manners, "It writes nothing to standard output or error", body: output),
        ConformanceCheck("manners-exit", .manners, "It never ends the process, whatever happens") {
            (bench) throws(Finding) in
            try liveThrough(bench)
        },
        ConformanceCheck("manners-signals", .manners, "It leaves signal handlers alone") { (bench) throws(Finding) in
            try liveThrough(bench)
            let changed = ProcessManners.now().changedSignals(since: bench.before)
            guard !changed.isEmpty else { return }
            throw .failed(
                "it changed what happens on \(changed.joined(separator: ", "))", expected: "the host's signal handlers",
                advice: "write with MSG_NOSIGNAL instead of ignoring SIGPIPE; a language runtime has an option for it")
        },
        ConformanceCheck("manners-environment", .manners, "It leaves the environment alone") {
            (bench) throws(Finding) in
            try liveThrough(bench)
            let (before, after) = (bench.before.environment, ProcessManners.now().environment)
            let names = Set(before.keys).union(after.keys).filter { $0 != "TZ" && before[$0] != after[$0] }
            guard let name = names.sorted().first else { return }
            throw .failed(
                "the variable \(name) is another", expected: "the environment that it found",
                advice: "pass such values as arguments: getenv of other threads is not safe beside setenv")
        },
        ConformanceCheck("manners-zone", .manners, "It leaves the time zone alone") { (bench) throws(Finding) in
            try liveThrough(bench)
            guard ProcessManners.now().environment["TZ"] != bench.before.environment["TZ"] else { return }
            throw .failed(
                "TZ is another", expected: "the time zone of the process",
                advice: "reckon in UTC; the host does the days")
        },
        ConformanceCheck("manners-locale", .manners, "It leaves the locale alone") { (bench) throws(Finding) in
            try liveThrough(bench)
            let locale = ProcessManners.now().locale
            guard locale != bench.before.locale else { return }
            throw .failed(
                "setlocale was called: it is \(locale)", expected: bench.before.locale,
                advice: "use uselocale or the _l functions: a decimal comma breaks the numbers of all others")
        },
        ConformanceCheck("manners-directory", .manners, "It leaves the working directory and the umask alone") {
            (bench) throws(Finding) in
            try liveThrough(bench)
            let now = ProcessManners.now()
            guard now.directory != bench.before.directory || now.mask != bench.before.mask else { return }
            throw .failed(
                now.mask != bench.before.mask ? "the umask is another" : "the directory is \(now.directory)",
                expected: bench.before.directory, advice: "use absolute paths, or openat")
        },
        ConformanceCheck("manners-secrets", .manners, "No secret appears in a line of the log or in a message") {
            (bench) throws(Finding) in
            let adapter = try bench.adapter()
            let settings = bench.settings(adapter, fillsSecrets: true)
            let secrets = adapter.description.settings.filter(\.kind.isSecret).compactMap { settings[$0.name] }
            guard !secrets.isEmpty else { throw .skipped("it has no secret settings") }
            for weather in troubles {
                let instance = try bench.instance(weather, settings: settings)
                instance.live()
                let words = instance.services.seen.words
                guard words.contains(where: { line in secrets.contains { $0.utf8.count >= 4 && line.contains($0) } })
                else { continue }
                throw .failed(
                    "a line that it logged, or a message, has the value of a secret setting", expected: "no secrets",
                    advice: "name the setting, not its value; mind URLs with a token in the query")
            }
        },
    ]

    private static let troubles: [CheckNetwork.Weather] = [
        .refused, .answer(status: 401, body: Array("{}".utf8)), .answer(status: 404, body: []),
        .answer(status: 200, body: Array("garbage".utf8)),
    ]

    /// A good day and some bad ones, once.
    private static func liveThrough(_ bench: CheckBench) throws(Finding) {
        guard !bench.mannersAreSeen else { return }
        bench.mannersAreSeen = true
        let good = try bench.instance()
        good.live(within: bench.hasMeter ? CheckedInstance.patience : Duration.second)
        // What the host's HTTP does is nothing to some.
        for weather in troubles where !good.ignoresHTTP { try bench.instance(weather).live() }
        // Its settings forgotten.
        try bench.instance(.refused, settings: [:]).live()
    }

    /// Whatever is written meanwhile goes into a pipe of this check's own.
    private static func output(_ bench: CheckBench) throws(Finding) {
        var ends: [Int32] = [-1, -1]
        guard unsafe sm_pipe(&ends) == 0 else { throw .skipped("no pipe") }
        let reading = FileDescriptor(owning: ends[0])
        let writing = FileDescriptor(owning: ends[1])
        let kept = FileDescriptor(owning: sm_duplicate(1, 100))
        dup2(writing.number, 1)
        dup2(writing.number, 2)
        defer {
            dup2(kept.number, 1)
            dup2(kept.number, 2)
        }
        try liveThrough(bench)
        // What C's own streams still hold.
        fflush(nil)
        guard Poll.readable(reading.number, until: 0) else { return }
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = unsafe read(reading.number, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first ?? ""
        throw .failed("it wrote: \(text)", expected: "nothing", advice: "use the host's log function")
    }
}
