internal import Glibc

/// Numbers as text, both ways, without a String for each row.
enum NumberText {
  /// `true` and `false` in any case.
  static func boolean(_ bytes: Text.Bytes) -> Bool? {
    if unsafe equals(bytes, "true") { return true }
    return unsafe equals(bytes, "false") ? false : nil
  }

  private static func equals(_ bytes: Text.Bytes, _ word: StaticString) -> Bool {
    guard bytes.count == word.utf8CodeUnitCount else { return false }
    return bytes.indices.allSatisfy { unsafe bytes[$0] | 0x20 == word.utf8Start[$0] }
  }

  /// Digits with an optional sign, and nothing else.
  static func integer(_ bytes: Text.Bytes) -> Int64? {
    var value: Int64 = 0
    var digits = 0
    let isNegative = unsafe bytes.first == UInt8(ascii: "-")
    let hasSign = unsafe isNegative || bytes.first == UInt8(ascii: "+")
    for index in (hasSign ? 1 : 0)..<max(bytes.count, hasSign ? 1 : 0) {
      guard Ascii.isDigit(unsafe bytes[index]) else { return nil }
      let (shifted, overflowed) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(unsafe bytes[index] - 0x30)
      let (next, overflow) = shifted.addingReportingOverflow(isNegative ? -digit : digit)
      guard !overflowed, !overflow else { return nil }
      value = next
      digits += 1
    }
    return digits > 0 ? value : nil
  }

  private static let doubleBytesMax = 400

  /// Decimal digits with an optional point and exponent; nil where the value is not finite.
  static func double(_ bytes: Text.Bytes) -> Double? {
    guard bytes.count <= doubleBytesMax, unsafe isDecimalNumber(bytes) else { return nil }
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { copy in
      for index in bytes.indices { unsafe copy[index] = CChar(bitPattern: bytes[index]) }
      unsafe copy[bytes.count] = 0
      guard let base = copy.baseAddress else { return nil }
      let value = unsafe strtod(base, nil)
      return value.isFinite ? value : nil
    }
  }

  private static func isDecimalNumber(_ bytes: Text.Bytes) -> Bool {
    var index = 0
    func byte() -> UInt8? { unsafe index < bytes.count ? bytes[index] : nil }
    func digits() -> Int {
      let start = index
      while let next = byte(), Ascii.isDigit(next) { index += 1 }
      return index - start
    }
    func sign() { if byte() == UInt8(ascii: "-") || byte() == UInt8(ascii: "+") { index += 1 } }
    sign()
    var count = digits()
    if byte() == Ascii.point {
      index += 1
      count += digits()
    }
    guard count > 0 else { return false }
    if let exponent = byte(), exponent | 0x20 == UInt8(ascii: "e") {
      index += 1
      sign()
      guard digits() > 0 else { return false }
    }
    return index == bytes.count
  }

  /// The shortest text that reads back as the same double: `1.5`, `5.0`, `1e+16`. Longer ones than 15 characters are
  /// made through a string on the heap.
  static func append(_ value: Double, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: value.description.utf8)
  }

  /// `-12.34`, with as many digits after the point as the scale says.
  static func append(_ value: Int128, scale: Int, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = value.magnitude
    var count = 0
    while rest != 0 || count <= scale {
      if count == scale, scale > 0 { bytes.append(Ascii.point) }
      bytes.append(UInt8(truncatingIfNeeded: rest % 10) + 0x30)
      rest /= 10
      count += 1
    }
    bytes[start...].reverse()
  }
}
