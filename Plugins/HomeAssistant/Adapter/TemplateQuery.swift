import AdapterKit

/// The question that is put to `POST /api/template`: only the sensors that matter, in one answer of a few kilobytes
/// whatever the size of the house.
enum TemplateQuery {
    /// - Parameter named: entities that settings name, or that are known by name, of any domain and unit.
    static func body(named: [String]) -> String {
        let template = """
            {{ now().timestamp() }}
            {% set named = \(list(named)) -%}
            {% for s in states if s.entity_id in named or (s.domain == 'sensor' and \
            (s.attributes.get('device_class') == 'power' or \
            s.attributes.get('unit_of_measurement') in ['mW', 'W', 'kW', 'MW'] or \
            s.entity_id.startswith('sensor.power_'))) -%}
            {{ [s.entity_id, s.state, s.name, s.attributes.get('unit_of_measurement'), \
            s.attributes.get('device_class'), \
            (s.last_reported if s.last_reported is defined else s.last_updated).timestamp()] | to_json }}
            {% endfor %}
            """
        return "{\"template\":\(JSON.quoted(template))}"
    }

    /// A Jinja list of strings. Entity ids are letters, digits, dots and underscores; anything else names nothing.
    private static func list(_ names: [String]) -> String {
        let valid = names.filter(EntityID.isValid)
        return "[" + valid.map { "'\($0)'" }.joined(separator: ", ") + "]"
    }
}

enum EntityID {
    static func isValid(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 255
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: ".")
            }
    }
}
