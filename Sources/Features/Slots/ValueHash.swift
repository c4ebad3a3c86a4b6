/// The hash behind `count_distinct`, `topk` and fingerprints. Part of the row format: states hold its results, so it
/// never changes without a new format version.
///
/// Folded multiplication with the constants of wyhash, in the manner of rapidhash. Not for secrets.
enum ValueHash {
  private static let secret: (UInt64, UInt64, UInt64) = (
    0x2d35_8dcc_aa6c_78a5, 0x8bb8_4b93_962e_acc9, 0x4b33_a62e_d433_d4a3
  )

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  @inline(__always)
  static func hash(_ value: UInt64) -> UInt64 { fold(fold(value ^ secret.0, secret.1) ^ secret.2, secret.0 ^ value) }

  static func hash(_ value: Int128) -> UInt64 {
    let low = UInt64(truncatingIfNeeded: value)
    let high = UInt64(truncatingIfNeeded: value >> 64)
    return hash(hash(low) ^ fold(high ^ secret.1, secret.2))
  }

  static func hash(_ bytes: borrowing RawSpan) -> UInt64 {
    var state = secret.2 ^ UInt64(bytes.byteCount)
    var offset = 0
    while offset + 8 <= bytes.byteCount {
      let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      state = fold(state ^ word.littleEndian, secret.0)
      offset += 8
    }
    var tail: UInt64 = 0
    while offset < bytes.byteCount {
      tail = tail << 8 | UInt64(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
      offset += 1
    }
    return hash(fold(state ^ tail, secret.1))
  }

  /// -0 is 0, and all NaN are one.
  static func canonical(_ value: Double) -> Double { value == 0 ? 0 : value.isNaN ? .nan : value }

  static func hash(text: String) -> UInt64 { unsafe hash(Array(text.utf8).span.bytes) }
}

extension EventBlock {
  /// The hash of a value; equal values have equal ones.
  func hash(_ representation: Representation, _ place: Int) -> UInt64 {
    switch representation {
    case .integer: ValueHash.hash(UInt64(bitPattern: integer(place)))
    case .decimal: ValueHash.hash(decimal(place))
    case .text: ValueHash.hash(text(place))
    case .double: ValueHash.hash(ValueHash.canonical(double(place)).bitPattern)
    }
  }
}
