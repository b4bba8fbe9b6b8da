import Configuration
import Testing

@Suite struct DotEnvTests {
    @Test(arguments: [
        ("A=b", "b"), ("A = b ", "b"), ("export A=b", "b"), ("\u{FEFF}A=b\r\n", "b"), ("A=b=c", "b=c"),
        ("A=b # comment", "b"), ("A=b#c", "b#c"), ("A='b # c'", "b # c"), ("A=\"b\\n\\\"c\\$\" # x", "b\n\"c$"),
        ("A='b\\n'", "b\\n"), ("A=", ""), ("A=\"\"", ""), ("# x\n\nA=é😀", "é😀"), ("A=1\nA=2", "2"), ("A=# x", ""),
    ])
    func `a line gives its value`(_ text: String, _ value: String) {
        let file = DotEnv(text)
        #expect(file.entries["A"]?.value == value)
        #expect(file.problems == [])
    }

    @Test(arguments: ["nonsense", "1A=b", "A B=c", "=b", "A='b", "A=\"b", "A='b'c"])
    func `a bad line is named by file and number, without its value`(_ line: String) {
        let file = DotEnv("OK=1\r\n\(line)\nB=2", path: "/x/.env")
        #expect(file.problems.count == 1)
        #expect(file.problems.first?.hasPrefix("/x/.env:2: ") == true)
        #expect(file.entries["B"]?.line == 3)
    }
}
