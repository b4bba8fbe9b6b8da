import CLinux
import Glibc
package import Platform
import Readings

/// Starts the runners. One thread starts them all and lives as long as the process: the kernel ends a child with the
/// *thread* that made it.
package final class RunnerSpawner: Sendable {
    /// A child that has just been started. Whoever gets it owns the descriptors and the process.
    struct Child: Sendable {
        let process: pid_t
        /// Readable once it has ended.
        let end: Int32
        /// Where it hears what to do, and nothing else.
        let calls: Int32
        /// For everything else, both ways.
        let line: Int32
        /// Its standard output and error.
        let output: Int32
    }

    private enum Work: Sendable {
        case spawn(verb: String, name: String, Reply<Result<Child, SystemError>>)
        case sweep
    }

    /// The program of the children: this one.
    private let program: String
    private let environment: [String]
    private let work: Mailbox<Work>
    private let bell: Doorbell
    private let thread: Thread
    private static let sweepPause = 100 * Duration.millisecond

    /// What a child gets of the environment; nothing of it is secret.
    private static let inherited = [
        "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
        "no_proxy", "NO_PROXY",
    ]

    /// - Parameters:
    ///   - program: `/proc/self/exe` also where the file has been replaced meanwhile.
    ///   - adoptsOrphans: what an adapter's process leaves behind becomes this process's and is killed. Only for a process
    ///     that has no other children.
    package init(
        program: String = "/proc/self/exe", environment: [String: String], adoptsOrphans: Bool = false
    ) throws(SystemError) {
        self.program = program
        self.environment =
            ["SWIFT_BACKTRACE=enable=no"]
            + Self.inherited.compactMap { name in
                // A proxy's address may hold a password.
                environment[name].flatMap { $0.contains("@") ? nil : "\(name)=\($0)" }
            }
        if adoptsOrphans { _ = sm_adopt_orphans() }
        let bell = try Doorbell()
        let work = Mailbox<Work>(doorbell: bell)
        self.bell = bell
        self.work = work
        let (program, variables) = (self.program, self.environment)
        thread = try Thread(name: "spawner") {
            var isSweeping = false
            while true {
                bell.wait(until: isSweeping ? Clock.monotonic() + Self.sweepPause : nil)
                for item in work.take() {
                    switch item {
                    case .spawn(let verb, let name, let reply):
                        reply.give(Self.spawn(program, verb, name, variables))
                    case .sweep: isSweeping = adoptsOrphans
                    }
                }
                if isSweeping { isSweeping = Self.killOrphans() }
            }
        }
    }

    /// Starts a runner; the calling thread waits for it.
    /// - Parameters:
    ///   - name: is seen in lists of processes.
    ///   - verb: what the program is to do there.
    func spawn(_ name: String, verb: String = "adapter-runner") throws(SystemError) -> Child {
        let reply = try Reply<Result<Child, SystemError>>()
        work.post(.spawn(verb: verb, name: name, reply))
        guard let result = reply.wait(until: nil) else { throw SystemError("spawn", EAGAIN) }
        return try result.get()
    }

    /// Kills a child and its group, and answers its wait status.
    static func reap(_ process: pid_t) -> Int32 {
        // Its group first: once it is reaped, the number may be another's.
        Glibc.kill(-process, SIGKILL)
        Glibc.kill(process, SIGKILL)
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// A runner has ended: what it has left behind goes, too.
    func sweep() { work.post(.sweep) }

    /// Kills what a host that was killed has left behind: its runners go with it, but not what adapters have started in
    /// them. That keeps the runner's command line.
    package static func killLeftovers(of host: Int32) {
        let wanted = Array("smart-meter\0adapter-runner\0\(host)\0".utf8)
        for name in DirectoryNames.of("/proc") ?? [] {
            guard let process = pid_t(name), process > 1 else { continue }
            let file = FileDescriptor(owning: unsafe sm_open("/proc/\(name)/cmdline", O_RDONLY, 0))
            var bytes = [UInt8](repeating: 0, count: wanted.count)
            guard unsafe read(file.number, &bytes, bytes.count) == wanted.count, bytes == wanted else { continue }
            kill(process, SIGKILL)
        }
    }

    // MARK: The spawner's thread

    private static func spawn(
        _ program: String, _ verb: String, _ name: String, _ environment: [String]
    ) -> Result<Child, SystemError> {
        do throws(SystemError) {
            var calls: [Int32] = [-1, -1]
            var line: [Int32] = [-1, -1]
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            guard unsafe socketpair(AF_UNIX, kind, 0, &calls) == 0 else { throw SystemError("socketpair") }
            let ourCalls = FileDescriptor(owning: calls[0])
            let theirCalls = FileDescriptor(owning: calls[1])
            guard unsafe socketpair(AF_UNIX, kind, 0, &line) == 0 else { throw SystemError("socketpair") }
            let ourLine = FileDescriptor(owning: line[0])
            let theirLine = FileDescriptor(owning: line[1])
            var ends: [Int32] = [-1, -1]
            guard unsafe sm_pipe(&ends) == 0 else { throw SystemError("pipe2") }
            let output = FileDescriptor(owning: ends[0])
            let theirOutput = FileDescriptor(owning: ends[1])

            var process: pid_t = 0
            let words = ["smart-meter", verb, "\(getpid())", name]
            let arguments = unsafe (words.map { unsafe strdup($0) } + [nil])
            let variables = unsafe (environment.map { unsafe strdup($0) } + [nil])
            defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
            let code = unsafe sm_spawn(
                program, arguments, variables, theirCalls.number, theirLine.number, theirOutput.number, &process)
            guard code == 0 else { throw SystemError("posix_spawn \(program)", code) }
            let end = sm_pidfd_open(process)
            guard end >= 0 else {
                let failure = SystemError("pidfd_open")
                kill(process, SIGKILL)
                waitpid(process, nil, 0)
                throw failure
            }
            return .success(
                Child(
                    process: process, end: end, calls: ourCalls.release(), line: ourLine.release(),
                    output: output.release()))
        } catch {
            return .failure(error)
        }
    }

    /// Kills and reaps what became the main thread's by the death of its parent; the runners themselves are this
    /// thread's. False where nothing is left.
    private static func killOrphans() -> Bool {
        let path = "/proc/self/task/\(getpid())/children"
        let file = FileDescriptor(owning: unsafe sm_open(path, O_RDONLY, 0))
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(file.number, &bytes, bytes.count)
        guard count > 0 else { return false }
        for word in bytes.prefix(count).split(separator: UInt8(ascii: " ")) {
            guard let process = pid_t(String(decoding: word, as: UTF8.self)), process > 1 else { continue }
            kill(process, SIGKILL)
            waitpid(process, nil, WNOHANG)
        }
        return true
    }
}
