import CMicrohttpd

/// One connection of libmicrohttpd, valid until the exchange on it is over. Used on the thread that runs the daemon.
@safe struct Connection {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) {
        unsafe self.handle = handle
    }

    /// Nothing more happens on it until `resume`. Only from within a callback of the library on this connection.
    func suspend() { unsafe MHD_suspend_connection(handle) }

    func resume() { unsafe MHD_resume_connection(handle) }

    /// Calls `body` with the name and value of each header.
    func eachHeader(_ each: MHD_KeyValueIterator, _ context: UnsafeMutableRawPointer) {
        unsafe sm_mhd_each_header(handle, each, context)
    }

    /// The visit that `MicrohttpdDaemon` keeps for the connection.
    var visit: Visit? {
        guard let held = unsafe sm_mhd_socket_context(handle) else { return nil }
        return unsafe Unmanaged<Visit>.fromOpaque(held).takeUnretainedValue()
    }

    /// The client's address, as the kernel writes it, without its port.
    var peer: [UInt8] {
        unsafe Array(unsafeUninitializedCapacity: 16) { buffer, count in
            count = unsafe Int(sm_mhd_peer(handle, buffer.baseAddress))
        }
    }

    var descriptor: Int32 { unsafe sm_mhd_descriptor(handle) }

    // MARK: Answers. False closes the connection.

    func send(_ response: Response) -> Bool {
        let made: OpaquePointer?
        switch response.body {
        case .bytes(let bytes):
            unsafe made = unsafe bytes.withUnsafeBytes { bytes in
                unsafe sm_mhd_response(bytes.baseAddress, bytes.count)
            }
        case .page(let page): unsafe made = unsafe sm_mhd_response_in_place(page.start, page.count)
        }
        guard let made = unsafe made else { return false }
        return unsafe queue(made, response)
    }

    /// - Parameters:
    ///   - isPlain: without chunks, so that what is sent past the library, while the connection is suspended, goes on where
    ///     `read` stopped.
    ///   - read: is called with `context` whenever the connection takes more.
    ///   - free: is called with `context` when the answer is over.
    func stream(
        _ response: Response, isPlain: Bool, read: MHD_ContentReaderCallback, context: UnsafeMutableRawPointer,
        free: MHD_ContentReaderFreeCallback
    ) -> Bool {
        let made =
            unsafe isPlain
            ? sm_mhd_response_plain_stream(read, context, free) : sm_mhd_response_stream(read, context, free)
        guard let made = unsafe made else {
            unsafe free(context)
            return false
        }
        return unsafe queue(made, response)
    }

    private func queue(_ made: OpaquePointer, _ response: Response) -> Bool {
        // The connection keeps a reference of its own.
        defer { unsafe MHD_destroy_response(made) }
        let own = response.headers + [("Content-Type", response.contentType)]
        let common = Response.commonHeaders.filter { header in !own.contains { $0.name == header.name } }
        for header in own + common {
            guard unsafe MHD_add_response_header(made, header.name, header.value) == .YES else { return false }
        }
        return unsafe MHD_queue_response(handle, UInt32(clamping: response.status), made) == .YES
    }
}
