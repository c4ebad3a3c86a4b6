#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Address space for the largest output that a limit allows. Memory comes page by page as a decoder writes, so output
/// never moves, back references stay valid, and a claimed size costs nothing.
@safe struct OutputReservation: ~Copyable {
  /// What stays resident between uses.
  static let keptBytes = 8 << 20

  private var base: UnsafeMutableRawPointer?
  private var capacityBytes = 0
  private var dirtyBytes = 0

  init() {}

  deinit {
    if let base = unsafe base { unsafe munmap(base, capacityBytes) }
  }

  /// `count` writable bytes: those of the previous call if it asked for no more. Their content is undefined.
  mutating func bytes(_ count: Int) throws(CodecError) -> UnsafeMutableRawBufferPointer {
    if unsafe count > capacityBytes || base == nil {
      try reserve(count)
    } else if dirtyBytes > Self.keptBytes, let base = unsafe base {
      unsafe madvise(base + Self.keptBytes, capacityBytes - Self.keptBytes, MADV_DONTNEED)
    }
    dirtyBytes = 0
    return unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
  }

  /// Says how much was written, so that the next use gives back what is above `keptBytes`.
  mutating func wrote(_ count: Int) {
    dirtyBytes = max(dirtyBytes, count)
  }

  private mutating func reserve(_ count: Int) throws(CodecError) {
    if let base = unsafe base { unsafe munmap(base, capacityBytes) }
    unsafe base = nil
    capacityBytes = 0
    let failure = CodecError(.tooLarge, "no address space for an output of \(count) bytes")
    let (padded, overflows) = max(count, Self.keptBytes).addingReportingOverflow(Self.keptBytes - 1)
    guard !overflows else { throw failure }
    let rounded = padded & ~(Self.keptBytes - 1)
    let mapped = unsafe mmap(
      nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw failure }
    unsafe base = mapped
    capacityBytes = rounded
  }
}
