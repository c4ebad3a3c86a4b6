#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Memory for pages: it grows, is reused, and has `slackBytes` readable and writable bytes behind its content, so that
/// loops may load and store whole words at its end.
@safe final class PageBuffer {
  static let slackBytes = 64

  private(set) var base: UnsafeMutableRawPointer
  private(set) var capacity: Int
  var count = 0

  init(capacity: Int = 0) {
    self.capacity = capacity
    unsafe base = .allocate(byteCount: capacity + Self.slackBytes, alignment: 64)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: capacity + Self.slackBytes)
  }

  deinit { unsafe base.deallocate() }

  var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

  /// Makes room for `count` bytes in all; the content stays.
  func reserve(_ wanted: Int) {
    guard wanted > capacity else { return }
    let grown = max(wanted, capacity + capacity / 2, 4_096)
    let moved = UnsafeMutableRawPointer.allocate(byteCount: grown + Self.slackBytes, alignment: 64)
    unsafe moved.copyMemory(from: base, byteCount: count)
    unsafe (moved + grown).initializeMemory(as: UInt8.self, repeating: 0, count: Self.slackBytes)
    unsafe base.deallocate()
    unsafe base = moved
    capacity = grown
  }

  /// Room for `wanted` bytes; the content is lost.
  func replace(_ wanted: Int) -> UnsafeMutableRawBufferPointer {
    count = 0
    reserve(wanted)
    count = wanted
    return unsafe UnsafeMutableRawBufferPointer(start: base, count: wanted)
  }

  func removeAll() { count = 0 }

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    reserve(count + bytes.count)
    unsafe (base + count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  func append(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBytes { unsafe append($0) } }

  /// Room for `wanted` bytes behind the content; the caller counts what it wrote.
  func room(_ wanted: Int) -> UnsafeMutableRawPointer {
    reserve(count + wanted)
    return unsafe base + count
  }

  /// A number in LEB128, as lengths and run headers are written.
  func append(varint value: UInt64) {
    let target = unsafe room(10)
    var rest = value
    var written = 0
    while rest >= 0x80 {
      unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: written, as: UInt8.self)
      rest >>= 7
      written += 1
    }
    unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: written, as: UInt8.self)
    count += written + 1
  }
}

@available(*, unavailable, message: "its memory moves: one thread at a time")
extension PageBuffer: Sendable {}
