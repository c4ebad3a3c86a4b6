internal import Glibc

/// The state of one entity in one view: one relocatable buffer, the same in memory, on disk and in a delta.
///
/// ```
/// header     version, region count, layout tag, newest event time, wasted bytes
/// directory  one entry for each region: offset, cell count, cell capacity
/// blocks     cells of a region, or the variable-size part of a slot; each aligned to 8
/// ```
/// All references are offsets, all numbers little-endian. A region is a sorted array of cells of one size: tiles,
/// sessions or events. Blocks that grew leave their old place as waste; a row that is a third waste is compacted. The
/// row owns its memory and is 16 bytes itself. `ViewLayout` gives the bytes their meaning: a row is only valid with the
/// layout that made it.
@safe package struct FeatureRow: ~Copyable {
  /// Nothing outside of the extensions in Rows/ touches it.
  var base: UnsafeMutableRawPointer
  private(set) var usedBytes: UInt32
  private(set) var allocatedBytes: UInt32

  /// A zeroed row of `size` bytes with room for `capacity`.
  init(zeroed size: Int, capacity: Int) {
    unsafe base = Self.allocate(max(size, capacity))
    usedBytes = UInt32(size)
    allocatedBytes = UInt32(max(size, capacity))
    unsafe memset(base, 0, size)
  }

  /// Bytes that nothing has checked yet.
  init(uncheckedCopying bytes: borrowing RawSpan) {
    unsafe base = Self.allocate(bytes.byteCount)
    usedBytes = UInt32(bytes.byteCount)
    allocatedBytes = usedBytes
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe memcpy(base, start, source.count) }
    }
  }

  deinit { unsafe free(base) }

  /// The row as it is stored and sent.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get { span(at: 0, count: byteCount) }
  }

  package var byteCount: Int { Int(usedBytes) }

  /// The bytes that the row holds of the heap.
  package var capacity: Int { Int(allocatedBytes) }

  package borrowing func copy() -> FeatureRow { FeatureRow(uncheckedCopying: bytes) }

  /// Makes `count` zeroed bytes at the end.
  ///
  /// - Returns: their offset.
  mutating func extend(by count: Int) -> Int {
    let start = byteCount
    let needed = start + count
    if needed > capacity { grow(to: max(needed, capacity + capacity / 2)) }
    unsafe memset(base + start, 0, count)
    usedBytes = UInt32(needed)
    return start
  }

  /// - Precondition: `size` is at most `byteCount`.
  mutating func truncate(to size: Int) {
    assert(size <= byteCount)
    usedBytes = UInt32(size)
  }

  /// Replaces everything by bytes that nothing has checked yet.
  mutating func replaceUnchecked(by bytes: borrowing RawSpan) {
    if bytes.byteCount > capacity { grow(to: bytes.byteCount) }
    usedBytes = UInt32(bytes.byteCount)
    write(bytes, at: 0)
  }

  private mutating func grow(to size: Int) {
    let rounded = (size + 15) & ~15
    guard let grown = unsafe realloc(base, rounded) else { Self.outOfMemory() }
    unsafe base = unsafe grown
    allocatedBytes = UInt32(rounded)
  }

  private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
    guard let memory = unsafe malloc(max(size, 16)) else { outOfMemory() }
    return unsafe memory
  }

  private static func outOfMemory() -> Never { preconditionFailure("no memory for a feature row") }
}

// The only owner of its memory.
extension FeatureRow: @unchecked Sendable {}
