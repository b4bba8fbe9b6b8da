import CLinux
import Glibc

sm_tune_allocator()
// Never exit(): its handlers would run beside threads that were left behind.
_exit(SmartMeter.main(Array(CommandLine.arguments.dropFirst())))
