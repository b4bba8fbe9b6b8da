import Glibc

/// Reading the small files that settings come from.
package enum SettingFile {
    /// No setting is anywhere near this size; a device or a log named by mistake is.
    static let limit = 1 << 20

    @Sendable
    package static func read(_ path: String) throws(UnreadableFile) -> String {
        // Non-blocking: a FIFO named by mistake must not hold up the start.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw UnreadableFile(reason: "larger than 1 MB") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UnreadableFile(reason: "not UTF-8 text")
        }
        return text
    }

    /// The `.env` of the working directory; one without entries where there is none.
    package static func dotEnv(_ path: String = ".env") throws(UnreadableFile) -> DotEnv {
        guard unsafe access(path, F_OK) == 0 else { return DotEnv("") }
        return DotEnv(try read(path))
    }

    private static func failure() -> UnreadableFile {
        UnreadableFile(reason: unsafe String(cString: strerror(errno)))
    }
}
