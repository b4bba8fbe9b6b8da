import CLinux
import Glibc

/// An owned file descriptor; closed when it goes.
package struct FileDescriptor: ~Copyable, Sendable {
    package let number: Int32

    /// Takes ownership.
    package init(owning number: Int32) {
        self.number = number
    }

    deinit {
        if number >= 0 { close(number) }
    }

    /// Gives the number away without closing it.
    package consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }
}

/// An errno with the call that set it.
package struct SystemError: Error, CustomStringConvertible, Sendable {
    package let call: String
    package let code: Int32

    package init(_ call: String, _ code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    package var description: String { "\(call): \(SystemError.text(code))" }

    /// What the system calls an errno.
    package static func text(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        return unsafe String(cString: sm_error_text(code, &buffer, 128))
    }
}
