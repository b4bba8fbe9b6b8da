import Foundation

/// Asks every 10 ms until the answer is yes; throws what was waited for, as it is said then, when `seconds` have passed.
public func waitUntil(
    _ what: @autoclosure () -> String, within seconds: Double = 10, _ condition: () throws -> Bool
) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    repeat {
        if try condition() { return }
        usleep(10_000)
    } while ContinuousClock.now < end
    throw FixtureError("waited \(seconds) s in vain: \(what())")
}

/// As `waitUntil`, for a value: the first that is not nil.
public func waitFor<Value>(
    _ what: @autoclosure () -> String, within seconds: Double = 10, _ value: () throws -> Value?
) throws -> Value {
    var found: Value?
    try waitUntil(what(), within: seconds) {
        found = try value()
        return found != nil
    }
    guard let found else { throw FixtureError("waited in vain: \(what())") }
    return found
}
