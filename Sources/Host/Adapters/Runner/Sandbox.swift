import CLinux
import Glibc
import Platform

/// What a runner may touch of the file system, where the kernel has Landlock: it reads what the libraries of the system
/// need and what lies beside the files that the adapter's own settings name, and writes to those files and to devices.
/// Never the host's data and secrets, wherever they lie.
enum Sandbox {
    /// Programs and libraries.
    private static let programs = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix/store"]
    /// Names of hosts and users, certificates, the time zone; what the kernel says of itself.
    private static let information = [
        "/etc", "/proc", "/sys", "/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/run/nscd",
        "/run/udev", "/var/lib/ca-certificates",
    ]
    private static let devices = ["/dev"]
    /// Where the administrator has put certificates, as the environment says.
    private static var certificates: [String] {
        ["SSL_CERT_FILE", "SSL_CERT_DIR"].compactMap { name in
            guard let value = unsafe getenv(name) else { return nil }
            return unsafe String(cString: value)
        }
    }
    /// How deep it is looked for what lies beside a secret.
    private static let deepest = 32

    /// Confines the calling thread, which has to be the only one. Answers the version of Landlock; 0 = there is none.
    /// - Parameters:
    ///   - library: what is to be loaded.
    ///   - named: files that the adapter's settings name.
    ///   - secret: what it must not read.
    static func enter(library: String, named: [String], secret: [String]) -> Int {
        let version = Int(sm_landlock_version())
        guard version > 0 else { return 0 }
        let ruleset = sm_landlock_ruleset()
        guard ruleset >= 0 else { return 0 }
        defer { close(ruleset) }
        let secret = secret.compactMap(realPath)
        let read = SM_LANDLOCK_READ
        allow(programs, read | SM_LANDLOCK_EXECUTE, but: secret, ruleset)
        allow(information, read, but: secret, ruleset)
        allow(certificates, read, but: secret, ruleset)
        allow(devices, read | SM_LANDLOCK_WRITE, but: secret, ruleset)
        _ = unsafe sm_landlock_allow(ruleset, library, read)
        for path in named.compactMap(realPath) {
            // Named by whoever set this adapter up: also where another setting names it as a secret.
            _ = unsafe sm_landlock_allow(ruleset, path, read | SM_LANDLOCK_WRITE)
            // A file that is replaced is another file: its directory has to be allowed for the next one to be found.
            allow([directory(of: path)].filter { $0 != "/" }, read, but: secret, ruleset)
        }
        return sm_landlock_enforce(ruleset) == 0 ? version : 0
    }

    private static func allow(_ paths: [String], _ rights: Int32, but secret: [String], _ ruleset: Int32) {
        for path in paths.compactMap(realPath) { allow(path, rights, but: secret, ruleset, depth: 0) }
    }

    /// A directory with a secret in it is allowed entry by entry.
    private static func allow(_ path: String, _ rights: Int32, but secret: [String], _ ruleset: Int32, depth: Int) {
        if secret.contains(where: { lies(path, in: $0) }) { return }
        guard secret.contains(where: { lies($0, in: path) }), depth < deepest else {
            _ = unsafe sm_landlock_allow(ruleset, path, rights)
            return
        }
        for entry in DirectoryNames.of(path) ?? [] {
            allow("\(path)/\(entry)", rights, but: secret, ruleset, depth: depth + 1)
        }
    }

    private static func lies(_ path: String, in directory: String) -> Bool {
        path == directory || path.hasPrefix(directory == "/" ? "/" : directory + "/")
    }

    private static func directory(of path: String) -> String {
        let parts = path.split(separator: "/").dropLast()
        return "/" + parts.joined(separator: "/")
    }

    /// Without symbolic links; nil where there is nothing.
    private static func realPath(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
