import AdapterABI
import Testing

/// Every size and offset of the interface, written down: an adapter built long ago relies on each of them.
@Suite struct LayoutTests {
    @Test("Every struct has the size that adapters were built with", arguments: Layout.sizes)
    func size(_ entry: Layout.Entry) {
        #expect(entry.actual == entry.expected, "\(entry.name)")
    }

    @Test("Every field stands where adapters were built to find it", arguments: Layout.offsets)
    func offset(_ entry: Layout.Entry) {
        #expect(entry.actual == entry.expected, "\(entry.name)")
    }
}
