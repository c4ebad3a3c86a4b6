/// Avro's decimals: the unscaled value as two's complement, most significant byte first.
enum DecimalBytes {
  /// - Returns: nil when it has more digits than `precision`, which is at most 38.
  static func unscaled(_ bytes: Span<UInt8>, precision: Int) -> Int128? {
    guard bytes.count > 0 else { return 0 }
    let isNegative = bytes[0] & 0x80 != 0
    var value: Int128 = isNegative ? -1 : 0
    for index in bytes.indices {
      // Leading sign bytes say nothing; a value that needs more than 16 others fits into no column.
      guard value >> 119 == (isNegative ? -1 : 0) else { return nil }
      value = value << 8 | Int128(bytes[index])
    }
    return isWithin(value, precision: precision) ? value : nil
  }

  static func isWithin(_ value: Int128, precision: Int) -> Bool {
    guard precision < powers.count else { return true }
    return value.magnitude < powers[precision]
  }

  /// Ten to the power of 0 to 38.
  private static let powers: [UInt128] = (0...38).reduce(into: []) { powers, _ in
    powers.append(powers.last.map { $0 * 10 } ?? 1)
  }
}
