import Testing

@testable import SenseAdapter

/// Small things that are read and written by hand.
@Suite struct FormTests {
    @Test func `firmware is compared number by number`() {
        let rising = ["", "0.99", "1", "1.9", "1.63.9999-zz", "1.64", "1.64.3451-8d2a17", "1.70", "1.100", "2"]
        for (lower, higher) in zip(rising, rising.dropFirst()) {
            #expect(Firmware(lower) < Firmware(higher), "\(lower) and \(higher)")
            #expect(Firmware(higher) > Firmware(lower), "\(lower) and \(higher)")
        }
        #expect(Firmware("1.64") == Firmware("1.64.0-abc"))
        #expect(Firmware("99999999999999999999.1").isKnown == false)
    }

    @Test(arguments: [
        ("a b", "a%20b"), ("pässwörd&=+ %41", "p%C3%A4ssw%C3%B6rd%26%3D%2B%20%2541"), ("-._~Az09", "-._~Az09"),
        ("[@`{", "%5B%40%60%7B"), ("\u{0}\u{7F}", "%00%7F"),
    ])
    func `a value of a form is escaped`(value: String, escaped: String) {
        #expect(Cloud.escaped(value) == escaped)
    }

    @Test(arguments: [
        ("https://api.sense.com/apiservice/api/v1/", true), ("https://api.sense.com", true),
        ("https://sense.lan:8443/x", true), ("http://127.0.0.1:8080/x/", true), ("http://127.9.9.9/", true),
        ("http://localhost/", true), ("http://[::1]:80/", true), ("http://api.sense.com/", false),
        ("http://localhost.example.com/", false), ("http://127.0.0.1.example.com/", false),
        ("http://127.0.0.1@example.com/", false), ("https://user@example.com/", false),
        ("http://127.0.0/", false), ("http://127.0.0.1:99999/", false), ("http://127.0.0.1:80:80/", false),
        ("https:///x", false), ("https://[::1/", false), ("https://api.sense.com/?a=b", false),
        ("https://api.sense.com/#a", false), ("ftp://127.0.0.1/", false), ("https://api.sense.com/ä", false),
        ("http://127.0.0.1\\@example.com/", false), ("", false),
    ])
    func `a password goes out encrypted, or to this machine`(url: String, isTrusted: Bool) {
        #expect(APIAddress.isTrusted(url) == isTrusted)
    }
}
