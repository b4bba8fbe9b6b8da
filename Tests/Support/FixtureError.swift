/// Why a fixture cannot do what a test asked, in words for whoever reads the test's failure.
public struct FixtureError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
