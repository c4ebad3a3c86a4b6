internal import Glibc

// Reads and writes at offsets. They are checked in debug builds only: `ViewLayout.validate` checked every offset in the
// row when it was loaded, and the offsets in the layout are constants.
extension FeatureRow {
  @inline(__always)
  func load<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Number.Type = Number.self) -> Number {
    assert(offset >= 0 && offset + MemoryLayout<Number>.size <= byteCount)
    return unsafe Number(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  @inline(__always)
  mutating func store<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number, at offset: Int) {
    assert(offset >= 0 && offset + MemoryLayout<Number>.size <= byteCount)
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Number.self)
  }

  /// Each byte becomes the greater of itself and the other row's.
  mutating func keepGreaterBytes(of other: borrowing FeatureRow, from source: Int, at target: Int, count: Int) {
    precondition(source >= 0 && source + count <= other.byteCount && target >= 0 && target + count <= byteCount)
    let left = unsafe (base + target).assumingMemoryBound(to: UInt8.self)
    let right = unsafe (other.base + source).assumingMemoryBound(to: UInt8.self)
    // Without a branch: the compiler makes vectors of it.
    for index in 0..<count { unsafe left[index] = max(left[index], right[index]) }
  }

  /// Copies bytes within the row; the ranges may overlap.
  @inline(__always)
  mutating func move(from source: Int, to target: Int, count: Int) {
    assert(source >= 0 && target >= 0 && max(source, target) + count <= byteCount)
    unsafe memmove(base + target, base + source, count)
  }

  @inline(__always)
  mutating func clear(at offset: Int, count: Int) {
    assert(offset >= 0 && offset + count <= byteCount)
    unsafe memset(base + offset, 0, count)
  }

  /// Copies bytes of another row.
  mutating func copy(_ other: borrowing FeatureRow, from source: Int, to target: Int, count: Int) {
    assert(source >= 0 && source + count <= other.byteCount && target >= 0 && target + count <= byteCount)
    unsafe memcpy(base + target, other.base + source, count)
  }

  mutating func write(_ source: borrowing RawSpan, at offset: Int) {
    assert(offset >= 0 && offset + source.byteCount <= byteCount)
    unsafe source.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { unsafe memcpy(base + offset, start, bytes.count) }
    }
  }

  /// Bytes of the row.
  @_lifetime(borrow self)
  borrowing func span(at offset: Int, count: Int) -> RawSpan {
    assert(offset >= 0 && count >= 0 && offset + count <= byteCount)
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base + offset), byteCount: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}
