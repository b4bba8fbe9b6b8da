import AdapterKit
import CMosquitto
import Glibc
import Synchronization

/// One connection to the broker over libmosquitto, from its beginning to its end. Nothing in it blocks but the look-up
/// of the host's name. Used by one thread.
@safe final class BrokerConnection {
    /// A message of a topic that was subscribed to.
    struct Message {
        var topic: String
        var payload: [UInt8]
        /// It was kept by the broker for who subscribes, and can be days old.
        var isRetained: Bool
    }

    /// Between the broker's word that we are welcome and the end.
    private(set) var isWelcome = false
    private var messages: [Message] = []
    private var refusedFilters: [String] = []

    private let handle: OpaquePointer
    private let preferences: Preferences
    private var refusal: Int32?
    /// What the TLS library said last.
    private var complaint: String?
    private var filters: [Int32: String] = [:]
    /// Whether the connection of TCP stands. Until then the library does not say that it waits to write.
    private var isReached = false

    /// A whole answer of a device is smaller.
    static let mostPayloadBytes = 65_536
    private static let keepaliveSeconds: Int32 = 60
    private static let library: Int32 = mosquitto_lib_init()

    /// The library turns SIGPIPE off for the whole process, which is not the adapter's: its thread blocks the signal instead.
    private static let signals = Mutex(())

    private static func makeClient(_ clientID: String) -> OpaquePointer? {
        unsafe signals.withLock { _ in
            var action = sigaction()
            unsafe sigaction(SIGPIPE, nil, &action)
            defer { unsafe sigaction(SIGPIPE, &action, nil) }
            return unsafe mosquitto_new(clientID, true, nil)
        }
    }

    init(_ preferences: Preferences, clientID: String) throws(AdapterError) {
        self.preferences = preferences
        guard Self.library == MOSQ_ERR_SUCCESS.rawValue, let handle = unsafe Self.makeClient(clientID) else {
            throw AdapterError(.failed, "libmosquitto gives no client: out of memory?")
        }
        unsafe self.handle = handle
        unsafe mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
        unsafe mosquitto_connect_callback_set(handle, connectionAnswered)
        unsafe mosquitto_subscribe_callback_set(handle, connectionSubscribed)
        unsafe mosquitto_message_callback_set(handle, connectionReceived)
        unsafe mosquitto_log_callback_set(handle, connectionComplained)
        try setUp()
    }

    deinit { unsafe mosquitto_destroy(handle) }

    private func setUp() throws(AdapterError) {
        if !preferences.user.isEmpty {
            let password: String? = preferences.password.isEmpty ? nil : preferences.password
            try check(unsafe mosquitto_username_pw_set(handle, preferences.user, password))
        }
        guard preferences.broker.isEncrypted else { return }
        guard preferences.caFile.isEmpty else {
            guard unsafe access(preferences.caFile, R_OK) == 0,
                unsafe mosquitto_tls_set(handle, preferences.caFile, nil, nil, nil, nil) == MOSQ_ERR_SUCCESS.rawValue
            else {
                throw AdapterError(.misconfigured, "SHELLY_MQTT_CA_FILE: \(preferences.caFile) cannot be read")
            }
            return
        }
        try check(unsafe mosquitto_int_option(handle, MOSQ_OPT_TLS_USE_OS_CERTS, 1))
    }

    // MARK: Life

    /// Begins to connect.
    func open() throws(AdapterError) {
        let broker = preferences.broker
        try check(unsafe mosquitto_connect_async(handle, broker.host, broker.port, Self.keepaliveSeconds))
    }

    /// For poll; -1 = there is none.
    var descriptor: Int32 { unsafe mosquitto_socket(handle) }
    var wantsToWrite: Bool { unsafe mosquitto_want_write(handle) || !isReached }

    /// Does what there is to do, as poll said of the descriptor.
    func turn(readable: Bool, writable: Bool, isHungUp: Bool) throws(AdapterError) {
        if readable || isHungUp {
            try check(unsafe mosquitto_loop_read(handle, 1))
            // While TLS is agreed upon, the library takes an end for "not yet".
            if !isWelcome, Self.hasEnded(descriptor) { throw lost("closed the connection") }
        }
        if writable {
            isReached = true
            try check(unsafe mosquitto_loop_write(handle, 1))
        }
        try check(unsafe mosquitto_loop_misc(handle))
        if let refusal { throw refused(refusal) }
    }

    func takeMessages() -> [Message] {
        defer { messages.removeAll(keepingCapacity: true) }
        return messages
    }

    /// Subscriptions that the broker does not allow.
    func takeRefusedFilters() -> [String] {
        defer { refusedFilters.removeAll() }
        return refusedFilters
    }

    func subscribe(_ filter: String) throws(AdapterError) {
        var number: Int32 = 0
        try check(unsafe mosquitto_subscribe(handle, &number, filter, 0))
        filters[number] = filter
    }

    func publish(_ topic: String, _ payload: String) throws(AdapterError) {
        let bytes = Array(payload.utf8)
        try check(unsafe mosquitto_publish(handle, nil, topic, Int32(bytes.count), bytes, 0, false))
    }

    /// Says goodbye; the broker need not wait for the end of the keepalive.
    func close() {
        guard isWelcome else { return }
        unsafe mosquitto_disconnect(handle)
        _ = unsafe mosquitto_loop_write(handle, 1)
    }

    /// Whether the other side has closed, and nothing is left to be read.
    private static func hasEnded(_ descriptor: Int32) -> Bool {
        guard descriptor >= 0 else { return true }
        var byte: UInt8 = 0
        let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || count < 0 && errno != EAGAIN && errno != EINTR
    }

    // MARK: What the library says

    fileprivate func answered(_ code: Int32) {
        if code == 0 { isWelcome = true } else { refusal = code }
    }

    fileprivate func subscribed(_ number: Int32, isGranted: Bool) {
        guard let filter = filters.removeValue(forKey: number), !isGranted else { return }
        refusedFilters.append(filter)
    }

    fileprivate func received(_ message: mosquitto_message) {
        guard unsafe message.payloadlen >= 0, unsafe Int(message.payloadlen) <= Self.mostPayloadBytes,
            let topic = unsafe message.topic
        else { return }
        let payload = unsafe UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
        unsafe messages.append(
            Message(topic: String(cString: topic), payload: Array(payload), isRetained: message.retain))
    }

    fileprivate func complained(_ text: String) { complaint = text }

    // MARK: Errors

    private func check(_ code: Int32) throws(AdapterError) {
        let place = preferences.broker.text
        switch code {
        case MOSQ_ERR_SUCCESS.rawValue, MOSQ_ERR_CONN_PENDING.rawValue: return
        case MOSQ_ERR_EAI.rawValue: throw AdapterError(.unreachable, "\(place): no such host")
        case MOSQ_ERR_TLS.rawValue, MOSQ_ERR_TLS_HANDSHAKE.rawValue: throw untrusted()
        case MOSQ_ERR_ERRNO.rawValue:
            let reason = unsafe String(cString: strerror(errno))
            throw AdapterError(.unreachable, "\(place): \(reason)")
        default:
            if let refusal { throw refused(refusal) }
            throw lost(unsafe String(cString: mosquitto_strerror(code)))
        }
    }

    private func lost(_ reason: String) -> AdapterError {
        guard !isWelcome, preferences.broker.isEncrypted else {
            return AdapterError(.unreachable, "\(preferences.broker.text): \(reason)")
        }
        return untrusted()
    }

    private func untrusted() -> AdapterError {
        let reason = complaint.map { ": \($0)" } ?? ""
        let advice =
            preferences.caFile.isEmpty
            ? "SHELLY_MQTT_CA_FILE names the authority of a private certificate"
            : "is SHELLY_MQTT_CA_FILE the authority of the broker's certificate, and the host one of its names?"
        return AdapterError(.tlsFailed, "\(preferences.broker.text): no TLS\(reason); \(advice)")
    }

    /// The codes of CONNACK in MQTT 3.1.1.
    private func refused(_ code: Int32) -> AdapterError {
        let place = preferences.broker.text
        switch code {
        case 4, 5:
            let advice =
                preferences.user.isEmpty
                ? "asks for a user: set SHELLY_MQTT_USERNAME and SHELLY_MQTT_PASSWORD"
                : "refuses the user '\(preferences.user)': check SHELLY_MQTT_USERNAME and SHELLY_MQTT_PASSWORD"
            return AdapterError(.unauthorized, "\(place) \(advice)", retryAfterSeconds: Self.refusedPause)
        case 3: return AdapterError(.unavailable, "\(place) is not available at present")
        default:
            return AdapterError(
                .unsupported, "\(place): \(unsafe String(cString: mosquitto_connack_string(code)))",
                retryAfterSeconds: Self.refusedPause)
        }
    }

    /// Credentials that were refused are tried again after so long.
    private static let refusedPause = 60.0
}

// MARK: C's way in: nonisolated functions that recover the connection and call one method

/// Alive whenever the library calls: it calls from within calls of ours only.
private func connection(_ context: UnsafeMutableRawPointer?) -> BrokerConnection? {
    unsafe context.map { unsafe Unmanaged<BrokerConnection>.fromOpaque($0).takeUnretainedValue() }
}

private func connectionAnswered(_ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ code: Int32) {
    unsafe connection(context)?.answered(code)
}

private func connectionSubscribed(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ number: Int32, _ count: Int32,
    _ granted: UnsafePointer<Int32>?
) {
    let isGranted = count > 0 && (unsafe granted?.pointee ?? 128) < 128
    unsafe connection(context)?.subscribed(number, isGranted: isGranted)
}

private func connectionReceived(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ message: UnsafePointer<mosquitto_message>?
) {
    guard let message = unsafe message else { return }
    unsafe connection(context)?.received(message.pointee)
}

private func connectionComplained(
    _ handle: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ level: Int32, _ text: UnsafePointer<CChar>?
) {
    guard level == MOSQ_LOG_ERR, let text = unsafe text else { return }
    unsafe connection(context)?.complained(String(cString: text))
}
