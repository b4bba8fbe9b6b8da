public import AdapterABI
import AdapterKit
import Adapter

@c @implementation
public func meter_adapter_entry(_ hostABI: UInt32) -> UnsafePointer<meter_library>? {
    unsafe exportAdapters(hostABI, Meter.self)
}
