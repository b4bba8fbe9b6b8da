import AdapterABI

/// Asks a person, through the host.
@safe public struct LoginPrompter {
    public enum Kind: UInt32, Sendable {
        case text = 1
        /// Not echoed.
        case secret = 2
        /// A one-time code.
        case code = 3
    }

    private let prompter: UnsafePointer<meter_login_prompter>

    init(_ prompter: UnsafePointer<meter_login_prompter>) {
        unsafe self.prompter = prompter
    }

    /// Blocks until answered.
    public func ask(_ kind: Kind, _ question: String) throws(AdapterError) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        var length: UInt32 = 0
        let code = unsafe question.withText { question in
            unsafe prompter.pointee.prompt?(
                prompter.pointee.context, kind.rawValue, question, &buffer, UInt32(buffer.count), &length)
                ?? METER_CANCELLED
        }
        guard code != METER_BUFFER_TOO_SMALL else {
            throw AdapterError(.tooLarge, "the answer is longer than \(buffer.count) bytes")
        }
        guard code == METER_OK else { throw AdapterError(.cancelled, "the login was cancelled") }
        return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
