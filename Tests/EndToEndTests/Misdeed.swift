import Testing

/// Something that `Tests/Adapters/hostile.c` does, and what is to be seen of it.
struct Misdeed: Sendable, CustomTestStringConvertible {
    /// The setting's value.
    let name: String
    /// What the lines of its instance say, in a process of its own.
    let words: [String]
    /// Whether it goes on reading, without an end of its process.
    var goesOn = true
    var sampleSeconds = 0.2
    /// What they say where it runs in the host's process; nil = it cannot survive that.
    var inHost: [String]?

    var testDescription: String { name }

    /// An end of its process, after which it is started again.
    static func end(_ name: String, _ words: String..., inHost: [String]? = nil) -> Misdeed {
        Misdeed(name: name, words: words + ["adapter restarted"], goesOn: false, inHost: inHost)
    }

    /// Goes on; the host's process survives it as well.
    static func goesOn(_ name: String, _ words: String...) -> Misdeed {
        Misdeed(name: name, words: words, inHost: words)
    }

    private static let late = "read() did not return within its deadline and 2 s"
    private static let implausible = "not a plausible number"

    struct Group: Sendable, CustomTestStringConvertible {
        let name: String
        let misdeeds: [Misdeed]
        var testDescription: String { name }
    }

    static let groups = [
        Group(
            name: "ends",
            misdeeds: [
                .init(name: "crash in create", words: ["SIGSEGV in create() at offset 0x"], goesOn: false),
                .end("crash in read", "SIGSEGV in read() at offset 0x"),
                .end("crash in a thread", "SIGSEGV in read() at offset 0x"),
                .end("abort", "SIGABRT in read() at offset 0x"),
                .end("exit", "exit with status 0 in read()"),
                .end("garbage", "it broke the runner's protocol in read()"),
                .end("orphans", "exit with status 3 in read()"),
                .init(name: "crash in destroy", words: []),
            ]),
        Group(
            name: "resources",
            misdeeds: [
                .end("loop", late, inHost: ["adapter abandoned"]),
                .end("sleep", late, inHost: ["adapter abandoned"]),
                .end("4 GB", "SIGSEGV in read()", "after memory was refused: it has 512 MB at most"),
                .end("leak", "SIGSEGV in read()", "after memory was refused: it has 512 MB at most"),
                .init(name: "files", words: ["opened not all files"]),
                .init(name: "forks", words: ["forked 100"]),
                .init(name: "output", words: ["from=output"], sampleSeconds: 15),
                .init(
                    name: "flood", words: ["flood: held back"], sampleSeconds: 15, inHost: ["flood: "]),
                .goesOn("reserve", "reserved 600 MB"),
            ]),
        Group(
            name: "data",
            misdeeds: [
                .goesOn("nan", "nan: emit answered 0", implausible),
                .goesOn("infinity", "infinity: emit answered 0", implausible),
                .goesOn("1e308", "1e308: emit answered 0", implausible),
                .goesOn("1970", "1970: emit answered 2", "not a time of now"),
                .goesOn("2100", "2100: emit answered 2", "not a time of now"),
                .goesOn("10,000,000 circuits", "emit answered 2", "10000000 circuits"),
                .goesOn("a name of 1 MB", "emit answered 2", "255 bytes"),
                .goesOn("no UTF-8", "emit answered 2", "UTF-8"),
                .goesOn("strides", "emit answered 2", "circuit_stride is"),
                .goesOn("size 0", "emit answered 2", "struct_size is 0"),
                .goesOn("size max", "emit answered 0"),
                .goesOn("NULL", "the reading is NULL", "NULL: emit answered 2"),
            ]),
        Group(
            name: "manners",
            misdeeds: [
                .goesOn("threads", "called from 16 threads"),
                .goesOn("after destroy"),
                .goesOn("locale", "changed the locale"),
                .goesOn("mask", "blocked all signals"),
                .goesOn("zone", "changed the zone"),
                .goesOn("directory", "changed the directory"),
                .init(name: "close", words: ["closed 0 to 10"]),
                .goesOn("descriptor", "changed the descriptor"),
                .init(
                    name: "steal",
                    words: ["did not get", "could not signal the host", "environment: without secrets"]),
            ]),
    ]
}
