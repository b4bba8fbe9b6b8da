import Observability
import Readings

/// The JSON object of a type, declared once: what is written, and what documents it.
struct Shape<Value>: Sendable {
    /// In documents.
    let name: String
    let fields: [Field]

    init(_ name: String, _ fields: [Field]) {
        self.name = name
        self.fields = fields
    }

    /// One key and how its value is had. A class, since it is walked through for every object that is written.
    final class Field: Sendable {
        let property: Schema.Property
        /// As `JSONWriter.key(encoded:)` takes it.
        let key: [UInt8]
        let write: @Sendable (Value, inout JSONWriter) -> Void

        init(
            _ name: String, _ about: String, _ schema: Schema,
            _ write: @escaping @Sendable (Value, inout JSONWriter) -> Void
        ) {
            property = Schema.Property(name: name, about: about, schema: schema)
            key = JSONWriter.encodedKey(name)
            self.write = write
        }
    }

    var schema: Schema { .object(name: name, properties: fields.map(\.property)) }

    func write(_ value: Value, to json: inout JSONWriter) {
        json.beginObject()
        writeFields(of: value, to: &json)
        json.endObject()
    }

    /// The keys alone, into an object that is open.
    func writeFields(of value: Value, to json: inout JSONWriter) {
        for field in fields {
            json.key(encoded: field.key)
            field.write(value, &json)
        }
    }

    func body(_ value: Value, reserving capacity: Int = 1024) -> [UInt8] {
        var json = JSONWriter(reserving: capacity)
        write(value, to: &json)
        return json.bytes
    }
}

// A way to declare a key for each kind of value.
extension Shape.Field {
    typealias Get<Part> = @Sendable (Value) -> Part

    static func text(_ name: String, _ about: String = "", _ get: @escaping Get<String>) -> Self {
        Self(name, about, .text) { $1.value(get($0)) }
    }

    static func optionalText(_ name: String, _ about: String = "", _ get: @escaping Get<String?>) -> Self {
        Self(name, about, .nullable(.text)) { $1.value(get($0)) }
    }

    static func word(
        _ name: String, _ words: [String], _ about: String = "", _ get: @escaping Get<String>
    ) -> Self {
        Self(name, about, .word(words)) { $1.value(get($0)) }
    }

    static func number(_ name: String, _ about: String = "", _ get: @escaping Get<Double>) -> Self {
        Self(name, about, .number) { $1.value(get($0)) }
    }

    static func optionalNumber(_ name: String, _ about: String = "", _ get: @escaping Get<Double?>) -> Self {
        Self(name, about, .nullable(.number)) { $1.value(get($0)) }
    }

    static func count(_ name: String, _ about: String = "", _ get: @escaping Get<Int>) -> Self {
        Self(name, about, .count) { $1.value(get($0)) }
    }

    static func optionalCount(_ name: String, _ about: String = "", _ get: @escaping Get<Int?>) -> Self {
        Self(name, about, .nullable(.count)) { value, json in
            if let count = get(value) { json.value(count) } else { json.null() }
        }
    }

    static func flag(_ name: String, _ about: String = "", _ get: @escaping Get<Bool>) -> Self {
        Self(name, about, .flag) { $1.value(get($0)) }
    }

    static func time(_ name: String, _ about: String = "", _ get: @escaping Get<Instant>) -> Self {
        Self(name, about, .time) { $1.value(get($0)) }
    }

    static func optionalTime(_ name: String, _ about: String = "", _ get: @escaping Get<Instant?>) -> Self {
        Self(name, about, .nullable(.time)) { $1.value(get($0)) }
    }

    static func object<Part>(
        _ name: String, _ shape: Shape<Part>, _ about: String = "", _ get: @escaping Get<Part>
    ) -> Self {
        Self(name, about, shape.schema) { shape.write(get($0), to: &$1) }
    }

    static func optionalObject<Part>(
        _ name: String, _ shape: Shape<Part>, _ about: String = "", _ get: @escaping Get<Part?>
    ) -> Self {
        Self(name, about, .nullable(shape.schema)) { value, json in
            if let part = get(value) { shape.write(part, to: &json) } else { json.null() }
        }
    }

    static func list<Part>(
        _ name: String, _ shape: Shape<Part>, _ about: String = "", _ get: @escaping Get<[Part]>
    ) -> Self {
        Self(name, about, .list(shape.schema)) { value, json in
            json.beginArray()
            for part in get(value) { shape.write(part, to: &json) }
            json.endArray()
        }
    }

    static func numbers(_ name: String, _ about: String = "", _ get: @escaping Get<[Double?]>) -> Self {
        Self(name, about, .list(.nullable(.number))) { value, json in
            json.beginArray()
            for number in get(value) { json.value(number) }
            json.endArray()
        }
    }

    static func words(
        _ name: String, _ words: [String], _ about: String = "", _ get: @escaping Get<[String]>
    ) -> Self {
        Self(name, about, .list(.word(words))) { value, json in
            json.beginArray()
            for word in get(value) { json.value(word) }
            json.endArray()
        }
    }
}
