/// Every command, in the order in which people read about them.
extension VerbHelp {
    static let all = [
        run, adapters, read, login, backfill, outbox, check, config, newAdapter,
    ]

    private static let json = Term("--json", "for programs")
    private static let times = "T is \(TimeText.forms)."
    private static let failed = Term("1", "it failed; the message says why")
    private static let unavailable = Term("69", "the meter, or the host, is not to be had now")
    private static let misconfigured = Term("78", "a setting is missing or wrong")

    private static let run = VerbHelp(
        name: "run", forms: [Term("run", "read the meters, store, deliver, serve (the default)")],
        text: "SIGTERM and SIGINT end it in order; SIGHUP reads .env and the files of secrets again.",
        statuses: [
            failed, Term("69", "DATA_DIR is in use by another host"), misconfigured,
        ])

    private static let adapters = VerbHelp(
        name: "adapters",
        forms: [Term("adapters [--json]", "the adapters that were found, and the files that were refused")],
        text: "Of each: its settings, and what is left of the day's ration of requests.", options: [json],
        statuses: [failed, misconfigured])

    private static let read = VerbHelp(
        name: "read", forms: [Term("read [METER] [--json]", "one reading, printed")],
        text: """
            METER is a type, or type@label; default: the meter that is the house. The running host takes the reading;
            where none runs on DATA_DIR, this command does. It is not stored.
            """,
        options: [json], statuses: [failed, unavailable, misconfigured])

    private static let login = VerbHelp(
        name: "login",
        forms: [Term("login [METER]", "log in to a meter's cloud, by answering what its adapter asks")],
        text: """
            METER is a type, or type@label; default: the meter that is the house. It goes through the host that runs on
            DATA_DIR, and works where none runs.
            """,
        options: [Term(LoginCommand.unattended, "nobody can answer: name the settings that do instead")],
        statuses: [
            failed, unavailable, Term("78", "the account refuses, or a setting is missing"), Term("130", "given up"),
        ])

    private static let backfill = VerbHelp(
        name: "backfill",
        forms: [Term("backfill [METER] [--from T] [--to T]", "ask a meter's own log for what is missing")],
        text: """
            METER is a type, or type@label; default: the meter that is the house. The host asks, which fills holes by
            itself: this is for what lies before its first reading, or was answered before. Ctrl-C gives it up.
            \(times)
            """,
        options: [
            Term("--from T", "the beginning; default: as far back as the log reaches, or the first reading"),
            Term("--to T", "the end; default: now"),
        ],
        statuses: [
            Term("69", "no host runs, the meter does not answer, or the day's ration is used up"), misconfigured,
        ])

    private static let outbox = VerbHelp(
        name: "outbox",
        forms: [
            Term("outbox [ls]", "what waits to be delivered, since when and why; what the server rejected"),
            Term("outbox verify", "prove that the store is sound"),
            Term("outbox export [--from T] [--to T]", "line protocol: of what waits, or of a span of time"),
            Term("outbox replay [--from T] [--to T]", "send again: what was rejected, or a span of time"),
            Term("outbox drop --yes", "give up what waits; each outbox command has --json"),
        ],
        text: times,
        options: [
            Term("--from T", "the beginning of the span"), Term("--to T", "its end"),
            Term("--yes", "yes, give it up"), json,
        ],
        statuses: [
            Term("1", "it failed, there is no store, or the store is not sound"),
            Term("69", "the host is busy with other commands"), misconfigured,
        ])

    private static let check = VerbHelp(
        name: "check",
        forms: [
            Term("check FILE.so [options]", "whether an adapter keeps the rules of meter_adapter.h"),
            Term("check --list", "the checks that there are"),
        ],
        text: "docs/adapter-checks.md says what each check is about.",
        options: [
            Term("--only NAME", "some checks, by name or group: comma-separated, or several times"),
            Term("--setting NAME=VALUE", "a setting for the adapter, by its bare name; several times"),
            Term("--type T", "which adapter of the library; default: its first"),
            Term("--wait SECONDS", "how long readings are waited for; default: 5"),
            Term("--seed N", "of what is random, to have a failure again"),
            Term("--jobs N", "so many at a time"),
            json,
        ],
        statuses: [Term("1", "something failed or crashed")])

    private static let config = VerbHelp(
        name: "config",
        forms: [
            Term("config [--json]", "the settings as they are written now, where each came from, what is wrong"),
            Term("config --table", "the table of all settings (Markdown)"),
        ],
        text: """
            What a host would start with: one that runs has what it had at its start, and what SIGHUP brought since;
            its /health names what waits for a restart.
            """,
        options: [json], statuses: [failed, misconfigured])

    private static let newAdapter = VerbHelp(
        name: "new-adapter",
        forms: [
            Term(
                "new-adapter NAME --language c|swift|rust [--directory D]",
                "write the project of a new adapter, ready to build")
        ],
        options: [
            Term("--language L", "c, swift or rust"), Term("--directory D", "where; default: NAME, here"),
        ],
        statuses: [Term("73", "it cannot be written there")])
}
