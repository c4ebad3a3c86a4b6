internal import CAllocator
internal import Glibc

/// Memory of this process, and how its allocator deals with it.
package enum ProcessMemory {
  /// Bytes that are in physical memory; 0 when the system does not say.
  package static var residentBytes: Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    let read = unsafe line.withUnsafeMutableBufferPointer { unsafe fread($0.baseAddress, 1, $0.count - 1, file) }
    // "size resident shared …", in pages.
    let fields = line[..<read].map { UInt8(bitPattern: $0) }.split(separator: UInt8(ascii: " "))
    guard fields.count > 1 else { return 0 }
    let pages = Int(String(decoding: fields[1], as: UTF8.self)) ?? 0
    return pages.multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE))).partialValue
  }

  /// Bytes that the allocator holds and nobody uses: fragments, and what was freed lately.
  package static var idleBytes: Int { Int(clamping: headrace_allocator_idle_bytes()) }

  /// Has large blocks go back to the system as soon as they are freed.
  ///
  /// Memory tables, batches of checkpoints and pages of files come and go by the megabyte between small blocks that
  /// stay. From one heap they would leave holes that only grow: a worker of 64 MiB of rows held 90 MiB more after
  /// twenty million events. To be called once, by a program that is going to stay.
  package static func returnLargeBlocks() { headrace_allocator_map_blocks_from(1 << 20) }
}
