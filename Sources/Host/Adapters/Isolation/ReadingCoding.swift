import AdapterABI
import Readings

/// A reading as bytes: the structs of `meter_adapter.h` as they are, with pointers of zero, then the texts of all
/// circuits (id, name, parent) one after another.
enum ReadingCoding {
    private static let readingSize = unsafe MemoryLayout<meter_reading>.size
    private static let circuitSize = unsafe MemoryLayout<meter_circuit>.size
    static let mostCircuits = 4096

    /// How many bytes the reading takes. It has to have passed `ReadingAssembly`: every pointer is followed.
    static func size(_ reading: UnsafePointer<meter_reading>) -> Int {
        let count = unsafe Int(reading.pointee.circuit_count)
        var size = readingSize + count * circuitSize
        for index in 0..<count {
            let circuit = unsafe circuit(index, of: reading)
            unsafe size += Int(circuit.id.length) + Int(circuit.name.length) + Int(circuit.parent_id.length)
        }
        return size
    }

    /// As `size`.
    static func write(_ reading: UnsafePointer<meter_reading>, to writer: inout ByteWriter) {
        let count = unsafe Int(reading.pointee.circuit_count)
        var head = unsafe reading.pointee
        unsafe head.struct_size = UInt32(readingSize)
        unsafe head.circuit_stride = UInt32(circuitSize)
        unsafe head.circuits = nil
        unsafe withUnsafeBytes(of: head) { bytes in unsafe writer.write(bytes: bytes) }
        for index in 0..<count {
            var circuit = unsafe circuit(index, of: reading)
            unsafe circuit.id.data = nil
            unsafe circuit.name.data = nil
            unsafe circuit.parent_id.data = nil
            unsafe withUnsafeBytes(of: circuit) { bytes in unsafe writer.write(bytes: bytes) }
        }
        for index in 0..<count {
            let circuit = unsafe circuit(index, of: reading)
            unsafe write(circuit.id, to: &writer)
            unsafe write(circuit.name, to: &writer)
            unsafe write(circuit.parent_id, to: &writer)
        }
    }

    private static func write(_ text: meter_text, to writer: inout ByteWriter) {
        unsafe writer.write(bytes: UnsafeRawBufferPointer(start: text.data, count: Int(text.length)))
    }

    private static func circuit(_ index: Int, of reading: UnsafePointer<meter_reading>) -> meter_circuit {
        guard let table = unsafe reading.pointee.circuits else { return unsafe meter_circuit() }
        return unsafe UnsafeRawPointer(table).loadUnaligned(
            fromByteOffset: index * Int(reading.pointee.circuit_stride), as: meter_circuit.self)
    }

    /// Gives `body` a reading whose pointers point into `payload`, for the call only. Its numbers and texts are as hostile
    /// as an adapter's own.
    static func read<Result>(
        _ payload: [UInt8], _ body: (UnsafePointer<meter_reading>) -> Result
    ) throws(Frame.Violation) -> Result {
        let nonsense = Frame.Violation(reason: "a reading whose parts do not fit")
        guard payload.count >= readingSize else { throw nonsense }
        var reading = unsafe payload.withUnsafeBytes { unsafe $0.loadUnaligned(as: meter_reading.self) }
        let count = unsafe Int(reading.circuit_count)
        let textsAt = readingSize + count * circuitSize
        guard unsafe Int(reading.struct_size) == readingSize, unsafe Int(reading.circuit_stride) == circuitSize,
            count <= mostCircuits, payload.count >= textsAt
        else { throw nonsense }
        let result: Result? = unsafe payload.withUnsafeBytes { bytes in
            unsafe withUnsafeTemporaryAllocation(of: meter_circuit.self, capacity: max(1, count)) { circuits in
                var place = textsAt
                for index in 0..<count {
                    var circuit = unsafe bytes.loadUnaligned(
                        fromByteOffset: readingSize + index * circuitSize, as: meter_circuit.self)
                    guard unsafe point(&circuit.id, into: bytes, &place),
                        unsafe point(&circuit.name, into: bytes, &place),
                        unsafe point(&circuit.parent_id, into: bytes, &place)
                    else { return nil }
                    unsafe circuits.initializeElement(at: index, to: circuit)
                }
                guard place == bytes.count else { return nil }
                unsafe reading.circuits = count == 0 ? nil : UnsafePointer(circuits.baseAddress)
                return unsafe body(&reading)
            }
        }
        guard let result else { throw nonsense }
        return result
    }

    /// The text's bytes lie at `place`, which moves behind them.
    private static func point(
        _ text: inout meter_text, into bytes: UnsafeRawBufferPointer, _ place: inout Int
    ) -> Bool {
        let length = unsafe Int(text.length)
        guard length <= bytes.count - place else { return false }
        let start = unsafe bytes.baseAddress.map { unsafe ($0 + place).assumingMemoryBound(to: CChar.self) }
        unsafe text.data = length == 0 ? nil : start
        place += length
        return true
    }
}
