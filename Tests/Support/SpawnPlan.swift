import Glibc

/// Everything that `posix_spawn` needs, as values.
struct SpawnPlan: Sendable {
    let words: [String]
    let environment: [String]
    let output: String
    let error: String

    enum Outcome: Sendable {
        case started(pid_t)
        /// The errno.
        case failed(Int32)
    }

    func spawn() -> Outcome {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let writing = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, writing, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error, writing, 0o600)

        // A child would inherit blocked and ignored signals.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let arguments = unsafe (words.map { unsafe strdup($0) } + [nil])
        let variables = unsafe (environment.map { unsafe strdup($0) } + [nil])
        defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
        var number: pid_t = 0
        let code = unsafe posix_spawn(&number, words[0], &actions, &attributes, arguments, variables)
        return code == 0 ? .started(number) : .failed(code)
    }
}
