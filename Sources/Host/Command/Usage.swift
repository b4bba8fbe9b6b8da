import Configuration

/// What `--help` prints.
enum Usage {
    static var text: String {
        """
        smart-meter - turns energy meters into clean, complete data

        usage: smart-meter [command]

        commands:
          run                        read the meters, store, deliver, serve (the default)
          adapters [--json]          the adapters that were found, and the files that were refused
          read [TYPE] [--json]       one reading, printed
          login [INSTANCE]           log in to a meter's cloud, by answering what its adapter asks
          backfill [INSTANCE] [--from T] [--to T]
                                     ask a meter's own log for what is missing
          outbox [ls]                what waits to be delivered, since when and why; what the server rejected
          outbox verify              prove that the store is sound
          outbox export [--from T] [--to T]
                                     line protocol: of what waits, or of a span of time
          outbox replay [--from T] [--to T]
                                     send again: what was rejected, or a span of time
          outbox drop --yes          give up what waits; each outbox command has --json
          check FILE.so [--json] [--only NAME] [--setting NAME=VALUE] [--type T] [--wait SECONDS] [--seed N] [--jobs N]
                                     whether an adapter keeps the rules of meter_adapter.h
          check --list               the checks that there are
          config [--json]            the settings in force, and where each came from
          config --table             the table of all settings (Markdown)
          new-adapter NAME --language c|swift|rust [--directory D]
                                     write the project of a new adapter, ready to build
          --version, --help

        T is 2026-11-23T07:00:00Z, or seconds since 1970.

        settings (environment, or .env in the working directory; NAME_FILE for secrets):

        \(SettingTables.help())
        """
    }
}
