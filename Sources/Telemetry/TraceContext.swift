/// Which span of which trace something belongs to (W3C Trace Context, level 1).
package struct TraceContext: Sendable, Hashable {
  /// The upper and the lower half of the trace's id; not both 0.
  package var traceUpper: UInt64
  package var traceLower: UInt64
  /// Not 0.
  package var span: UInt64
  package var isSampled: Bool

  package init(upper: UInt64, lower: UInt64, span: UInt64, isSampled: Bool) {
    traceUpper = upper
    traceLower = lower
    self.span = span
    self.isSampled = isSampled
  }

  /// A span of the same trace.
  package func child(_ span: UInt64) -> TraceContext {
    TraceContext(upper: traceUpper, lower: traceLower, span: span, isSampled: isSampled)
  }
}

extension TraceContext {
  /// The bytes of a `traceparent`: `00-TRACE-SPAN-FLAGS`.
  package static let headerByteCount = 55

  /// Reads a `traceparent`; of a later version what this one knows.
  ///
  /// - Returns: nil of everything else: a wrong length, upper-case digits, ids of zeros, version ff.
  package init?(traceparent bytes: RawSpan) {
    let count = Self.headerByteCount
    guard bytes.byteCount >= count else { return nil }
    func byte(_ index: Int) -> UInt8 { unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) }
    let dash = UInt8(ascii: "-")
    guard byte(2) == dash, byte(35) == dash, byte(52) == dash else { return nil }
    func number(_ first: Int, _ digits: Int) -> UInt64? {
      var value: UInt64 = 0
      for index in first..<first + digits {
        let character = byte(index)
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(character - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(character - UInt8(ascii: "a") + 10)
        default: return nil
        }
      }
      return value
    }
    guard let version = number(0, 2), version != 0xff, let upper = number(3, 16), let lower = number(19, 16),
      let span = number(36, 16), let flags = number(53, 2), upper | lower != 0, span != 0
    else { return nil }
    // Later versions may have more behind another dash; version 0 has nothing.
    if bytes.byteCount > count { guard version > 0, byte(count) == dash else { return nil } }
    self.init(upper: upper, lower: lower, span: span, isSampled: flags & 1 == 1)
  }

  /// Appends it as a `traceparent`.
  package func appendHeader(to bytes: inout [UInt8]) {
    bytes += "00-".utf8
    Self.append(traceUpper, to: &bytes)
    Self.append(traceLower, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    Self.append(span, to: &bytes)
    bytes += (isSampled ? "-01" : "-00").utf8
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    for shift in stride(from: 60, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }

  package var header: String {
    var bytes: [UInt8] = []
    appendHeader(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The trace's id as 32 hexadecimal digits.
  package var traceText: String {
    var bytes: [UInt8] = []
    Self.append(traceUpper, to: &bytes)
    Self.append(traceLower, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
