import AdapterKit
import Testing

/// Lists of JSON that are read element by element.
@Suite struct JSONCursorTests {
    /// The elements of a list, and of the lists in it; nil where it makes no sense.
    private func walk(_ text: String, most: Int = 100) -> [JSON]? {
        var cursor = JSONCursor(Array(text.utf8))
        guard cursor.enterList() else { return nil }
        var found: [JSON] = []
        while cursor.hasNext() {
            if cursor.enterList() {
                while cursor.hasNext() { cursor.value(most: most).map { found.append($0) } }
            } else {
                cursor.value(most: most).map { found.append($0) }
            }
        }
        return cursor.isWhole ? found : nil
    }

    @Test(
        arguments: [
            ("[]", []), (" [ ] ", []), ("[1,\"a\"]", [.integer(1), .text("a")]),
            (
                "[[1 , 2],[],{\"a\":[3]}, [4]]",
                [.integer(1), .integer(2), .object(["a": .list([.integer(3)])]), .integer(4)]
            ),
            ("[[[1]]]", [.list([.integer(1)])]), ("", nil), ("{}", nil), ("1", nil), ("[", nil), ("[1", nil),
            ("[1,", nil),
            ("[1,]", nil), ("[,1]", nil), ("[1 2]", nil), ("[[1]", nil), ("[[1] [2]]", nil), ("[[1,]]", nil),
            ("[1]2", nil),
            ("[[1}]", nil), ("[nan]", nil), ("[1}", nil), ("[{\"a\":}]", nil),
        ] as [(String, [JSON]?)])
    func `elements are read as far as they make sense`(text: String, elements: [JSON]?) {
        #expect(walk(text) == elements)
    }

    @Test func `an element of too many values is none`() {
        #expect(walk("[{\"a\":[1,2]},{\"a\":[1,2]}]", most: 4)?.count == 2)
        #expect(walk("[{\"a\":[1,2]}]", most: 3) == nil)
    }

    @Test func `who reads nothing comes to an end`() {
        var cursor = JSONCursor(Array("[1,2,3]".utf8))
        #expect(cursor.enterList() && cursor.hasNext() && !cursor.hasNext() && !cursor.hasNext() && !cursor.isWhole)
        var deep = JSONCursor([UInt8](repeating: UInt8(ascii: "["), count: 1000))
        var levels = 0
        while deep.enterList(), deep.hasNext() { levels += 1 }
        #expect(levels == JSON.deepest && !deep.isWhole)
    }
}

/// JSON from outside, strict and loose.
@Suite struct JSONTests {
    private func parse(_ text: String) -> JSON? { JSON.parse(Array(text.utf8)) }

    @Test(
        arguments: [
            ("null", .null), ("true", .flag(true)), (" false\r\n\t", .flag(false)), ("0", .integer(0)),
            ("-0", .integer(0)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9.223372036854775808e18)), ("-9223372036854775809", .number(-0x1p63)),
            ("18446744073709551616", .number(0x1p64)), ("0.0216", .number(0.0216)), ("-1.5", .number(-1.5)),
            ("1e3", .number(1000)), ("1E-2", .number(0.01)), ("2.50e+1", .number(25)),
            ("5e-324", .number(.leastNonzeroMagnitude)),
            ("0.1000000000000000055511151231257827", .number(0.1)), ("1e999", .number(.infinity)), ("\"\"", .text("")),
            ("[]", .list([])), ("{}", .object([:])), ("[1, [2]]", .list([.integer(1), .list([.integer(2)])])),
            ("{\"a\": {\"b\" :null} ,\"a\":7}", .object(["a": .integer(7)])),
        ] as [(String, JSON)])
    func `a value is read`(text: String, value: JSON) {
        #expect(parse(text) == value)
    }

    @Test(
        arguments: [
            #""a\"\\\/\b\f\n\r\tz""#: "a\"\\/\u{8}\u{C}\n\r\tz", #""\u00e4\u20AC""#: "ä€", #""\ud83d\uDE00!""#: "😀!",
            #""\ud83d""#: "\u{FFFD}", #""\ude00\ud83d""#: "\u{FFFD}\u{FFFD}", #""\ud83dA""#: "\u{FFFD}A",
            #""\u0000""#: "\0", "\"Küche 😀\"": "Küche 😀",
        ])
    func `a text is read`(json: String, text: String) {
        #expect(parse(json)?.text == text)
    }

    @Test(
        arguments: [
            "", " ", "nul", "nullx", "True", "nan", "-", "+1", "01", "-01", "1.", ".5", "1.e3", "1e", "1e+", "0x10",
            "--1", "1 2", "1,", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "[1:2]", "{", "{\"a\"",
            "{\"a\":",
            "{\"a\":1", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{a:1}", "{1:2}", "{\"a\":}", "\"",
            "\"a",
            "'a'", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u+123\"", "\"a\nb\"", "\"\u{1}\"", "[\u{1}]",
            "\u{FEFF}1", "[]]", "{}{}", "// a\n1",
        ])
    func `what is no JSON gives nothing`(text: String) {
        #expect(parse(text) == nil)
    }

    @Test func `bytes that are no UTF-8 become replacement characters`() {
        #expect(JSON.parse([0x22, 0x41, 0xFF, 0x42, 0x22])?.text == "A\u{FFFD}B")
        #expect(JSON.parse([0x22, 0xC3, 0x22])?.text == "\u{FFFD}")
        #expect(JSON.parse([0xFF]) == nil)
    }

    @Test func `an accessor gives nothing for a value of another kind`() {
        let json = parse(#"{"a":[1,2.0,2.5,"3",true,null,1e300,1e999],"b":{"c":"x"}}"#)
        #expect(json?["b"]?["c"]?.text == "x")
        #expect(json?["c"] == nil)
        #expect(json?["a"]?["b"] == nil)
        #expect(json?["a"]?.list?.map(\.integer) == [1, 2, nil, nil, nil, nil, nil, nil])
        #expect(json?["a"]?.list?.map(\.number) == [1, 2, 2.5, nil, nil, nil, 1e300, nil])
        #expect(json?["a"]?.list?.map(\.flag) == [nil, nil, nil, nil, true, nil, nil, nil])
        #expect(json?["a"]?.list?.map(\.isNull) == [false, false, false, false, false, true, false, false])
        #expect(json?.members?.keys.sorted() == ["a", "b"])
        #expect(json?.list == nil)
        #expect(json?.text == nil)
    }

    @Test func `nesting ends at its limit`() {
        func lists(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(parse(lists(JSON.deepest)) != nil)
        #expect(parse(lists(JSON.deepest + 1)) == nil)
        #expect(parse(lists(100_000)) == nil)
        #expect(JSON.parseLoosely([UInt8](repeating: UInt8(ascii: "["), count: 100_000))?.isWhole == false)
    }

    /// Each would take minutes if the time grew with the square of the length.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["[],", "9", ".1", "\"\\n", "\\n", " ", "\"a\",", "{\"a\":", "\\", "\"a\":1,"])
    func `two megabytes of anything are read in a moment`(unit: String) {
        let text = String(repeating: unit, count: 2_000_000 / unit.utf8.count)
        for opening in ["[", "{", "[\"", "[0."] { _ = parse(opening + text + "1]") }
        _ = JSON.parseLoosely(Array(text.utf8))
    }

    @Test func `every beginning and every damage of a document gives a value or nothing`() {
        let document = Array(#"{"a":[1,-2.5e3,"\u00e4\ud83d\ude00",null],"b":{"c":true,"d":[[],{}]}} "#.utf8)
        for end in 0..<(document.count - 1) { #expect(JSON.parse(Array(document[..<end])) == nil) }
        for place in document.indices {
            for byte in UInt8.min...UInt8.max {
                var damaged = document
                damaged[place] = byte
                _ = JSON.parse(damaged)
                _ = JSON.parseLoosely(damaged)
            }
        }
    }

    @Test(
        arguments: [
            ("1432.", .number(1432)), (".5", .number(0.5)), ("+7", .integer(7)), ("007", .integer(7)),
            ("[1,2,]", .list([.integer(1), .integer(2)])), ("[1 2]", .list([.integer(1), .integer(2)])),
            ("[nan,-inf]", .list([.text("nan"), .text("-inf")])), ("\"a\\qb\"", .text("aqb")),
            ("\"a\nb\"", .text("a\nb")),
        ] as [(String, JSON)])
    func `what a small device writes can be read loosely, and not strictly`(text: String, value: JSON) {
        #expect(parse(text) == nil)
        let read = JSON.parseLoosely(Array(text.utf8))
        #expect(read?.value == value)
        #expect(read?.isWhole == true)
    }

    @Test(
        arguments: [
            ("[1,2", .list([.integer(1)])), ("{\"a\":[1,", .object(["a": .list([.integer(1)])])),
            ("{\"a\":1,\"b", .object(["a": .integer(1)])), ("[1,\"x", .list([.integer(1)])),
            ("{\"a\":1,b:2}", .object(["a": .integer(1)])), ("1 2", .integer(1)), ("[1]]", .list([.integer(1)])),
        ] as [(String, JSON)])
    func `what is left of an answer that is cut off is read loosely, and said not to be whole`(
        text: String, value: JSON
    ) {
        let read = JSON.parseLoosely(Array(text.utf8))
        #expect(read?.value == value)
        #expect(read?.isWhole == false)
    }

    @Test(arguments: ["", "a\"b\\c", "\n\u{1}\u{1F}\u{7F}", "Küche 😀 </script>"])
    func `a quoted text reads back as itself`(text: String) {
        #expect(parse(JSON.quoted(text)) == .text(text))
    }
}
