import Observability

/// Bodies are written as they nest, so that what is opened is closed.
extension JSONWriter {
    /// An object alone: one body.
    static func body(_ content: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object(content)
        return json.bytes
    }

    mutating func object(_ content: (inout JSONWriter) -> Void) {
        beginObject()
        content(&self)
        endObject()
    }

    mutating func object(_ name: String, _ content: (inout JSONWriter) -> Void) {
        key(name)
        object(content)
    }

    mutating func array(_ name: String, _ content: (inout JSONWriter) -> Void) {
        key(name)
        beginArray()
        content(&self)
        endArray()
    }

    mutating func words(_ name: String, _ words: [String]) {
        array(name) { json in
            for word in words { json.value(word) }
        }
    }
}
