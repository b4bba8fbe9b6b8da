import CLinux

package enum Memory {
    /// Gives what was freed back to the system: the allocator keeps it otherwise, where something lies behind it.
    package static func trim() { sm_trim_memory() }
}
