import WebPages

/// A file of a page that is part of the program: a line of the table in `Sources/WebPages/pages.c`.
@safe package struct Page: Sendable {
    let path: String
    let contentType: String
    /// Changes with the content.
    let etag: String
    let count: Int
    private let index: Int

    static let all = (0..<web_page_count()).compactMap(Page.init(index:))

    private init?(index: Int) {
        let page = unsafe web_page_at(index)
        guard let path = unsafe page.path, let type = unsafe page.type else { return nil }
        self.index = index
        self.path = unsafe String(cString: path)
        contentType = unsafe String(cString: type)
        count = unsafe page.count
        // FNV-1a: told apart from what it was, not protected against anybody.
        let bytes = unsafe [UInt8](UnsafeBufferPointer(start: page.bytes, count: page.count))
        let hash = bytes.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        etag = "\"\(String(hash, radix: 36))\""
    }

    /// Valid for as long as the program runs.
    var start: UnsafeRawPointer? { unsafe UnsafeRawPointer(web_page_at(index).bytes) }
}
