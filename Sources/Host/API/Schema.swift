import Observability

/// What a value of the API may be: the part of JSON Schema that OpenAPI 3.1 needs here.
package indirect enum Schema: Sendable {
    case text
    /// One of these.
    case word([String])
    /// RFC 3339.
    case time
    /// As `TimeParameter` reads it.
    case moment
    /// YYYY-MM-DD.
    case date
    case number
    case integer(ClosedRange<Int>?)
    case flag
    case list(Schema)
    /// Named, so that documents describe it once.
    /// - Parameter required: how many of the first properties are always there; nil = all.
    case object(name: String, properties: [Property], required: Int? = nil)
    case nullable(Schema)

    package struct Property: Sendable {
        package let name: String
        package let about: String
        package let schema: Schema
    }

    static let count = Schema.integer(0...Int.max)
}

extension Schema {
    /// Every object in it, by name, itself included.
    var objects: [String: Schema] {
        switch self {
        case .text, .word, .time, .moment, .date, .number, .integer, .flag: [:]
        case .list(let element), .nullable(let element): element.objects
        case .object(let name, let properties, _):
            properties.reduce(into: [name: self]) { all, property in
                all.merge(property.schema.objects) { first, _ in first }
            }
        }
    }

    /// Writes it as JSON Schema; objects by reference.
    func write(_ json: inout JSONWriter, about: String = "") {
        json.object { json in
            writeKeywords(&json)
            if !about.isEmpty { json.field("description", about) }
        }
    }

    /// Into an object that is open.
    func writeKeywords(_ json: inout JSONWriter) {
        switch self {
        case .text: json.field("type", "string")
        case .word(let words):
            json.field("type", "string")
            json.words("enum", words)
        case .time:
            json.field("type", "string")
            json.field("format", "date-time")
        case .moment:
            json.field("type", "string")
            json.field("pattern", TimeParameter.pattern)
        case .date:
            json.field("type", "string")
            json.field("format", "date")
        case .number: json.field("type", "number")
        case .integer(let range):
            json.field("type", "integer")
            if let range {
                json.field("minimum", range.lowerBound)
                if range.upperBound < .max { json.field("maximum", range.upperBound) }
            }
        case .flag: json.field("type", "boolean")
        case .list(let element):
            json.field("type", "array")
            json.key("items")
            element.write(&json)
        case .object(let name, _, _): json.field("$ref", "#/components/schemas/\(name)")
        case .nullable(let schema):
            json.array("anyOf") { json in
                schema.write(&json)
                json.object { $0.field("type", "null") }
            }
        }
    }

    /// An object as its component; anything else as it is.
    func writeDefinition(_ json: inout JSONWriter) {
        guard case .object(_, let properties, let required) = self else { return write(&json) }
        json.object { json in
            json.field("type", "object")
            json.object("properties") { json in
                for property in properties {
                    json.key(property.name)
                    property.schema.write(&json, about: property.about)
                }
            }
            // A key is always there; what it has not is null.
            json.words("required", properties.prefix(required ?? properties.count).map(\.name))
        }
    }

    /// For people.
    var phrase: String {
        switch self {
        case .text: "text"
        case .word(let words): words.joined(separator: ", ")
        case .time, .moment: "time"
        case .date: "date"
        case .number: "number"
        case .integer(let range?) where range.upperBound < .max: "\(range.lowerBound) to \(range.upperBound)"
        case .integer: "whole number"
        case .flag: "true or false"
        case .list(let element): "list of \(element.phrase)"
        case .object(let name, _, _): name
        case .nullable(let schema): "\(schema.phrase), or null"
        }
    }
}
