internal import Columns

extension ValueBounds {
  /// A bound as a file holds it, and whether a value equals it.
  struct StoredBound {
    var bytes: [UInt8]
    var isExact: Bool
  }

  /// Strings are cut to so many bytes in statistics and indexes.
  static let maximumTextBytes = 64

  func storedMinimum(_ leaf: ParquetLeaf) -> StoredBound? {
    guard !isEmpty else { return nil }
    switch leaf.storedColumnType.storage {
    case .integers, .decimals: return Self.number(integers.lowerBound, leaf)
    // -0.0 and 0.0 are equal: the bound must be below both.
    case .doubles: return Self.number(lowerDouble == 0 ? -0.0 : lowerDouble, leaf)
    case .text:
      guard Self.mayCut(leaf), lowerText.count > Self.maximumTextBytes else {
        return StoredBound(bytes: lowerText, isExact: true)
      }
      return StoredBound(bytes: Self.cut(lowerText, isText: leaf.columnType == .string), isExact: false)
    }
  }

  func storedMaximum(_ leaf: ParquetLeaf) -> StoredBound? {
    guard !isEmpty else { return nil }
    switch leaf.storedColumnType.storage {
    case .integers, .decimals: return Self.number(integers.upperBound, leaf)
    case .doubles: return Self.number(upperDouble == 0 ? 0.0 : upperDouble, leaf)
    case .text:
      guard Self.mayCut(leaf), upperText.count > Self.maximumTextBytes else {
        return StoredBound(bytes: upperText, isExact: true)
      }
      let isText = leaf.columnType == .string
      let bytes = Self.next(after: Self.cut(upperText, isText: isText), isText: isText)
      return bytes.map { StoredBound(bytes: $0, isExact: false) }
    }
  }

  /// Values of a fixed length, such as decimals, cannot be cut.
  private static func mayCut(_ leaf: ParquetLeaf) -> Bool { leaf.physicalType == .byteArray }

  private static func number(_ value: Int64, _ leaf: ParquetLeaf) -> StoredBound {
    let width = leaf.physicalType == .boolean ? 1 : leaf.physicalType == .int32 ? 4 : 8
    return StoredBound(bytes: littleEndian(UInt64(bitPattern: value), width), isExact: true)
  }

  private static func number(_ value: Double, _ leaf: ParquetLeaf) -> StoredBound {
    let bytes =
      leaf.physicalType == .float
      ? littleEndian(UInt64(Float(value).bitPattern), 4) : littleEndian(value.bitPattern, 8)
    return StoredBound(bytes: bytes, isExact: true)
  }

  private static func littleEndian(_ word: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
  }

  /// The first bytes, of text without a torn character at the end.
  private static func cut(_ bytes: [UInt8], isText: Bool) -> [UInt8] {
    var length = maximumTextBytes
    guard isText else { return Array(bytes[..<length]) }
    while length > maximumTextBytes - 4, bytes[length] & 0xc0 == 0x80 { length -= 1 }
    return Array(bytes[..<length])
  }

  /// The smallest string that is above all that begin with `bytes`; nil when there is none.
  static func next(after bytes: [UInt8], isText: Bool) -> [UInt8]? {
    var bytes = bytes
    guard isText else {
      while bytes.last == 0xff { bytes.removeLast() }
      guard let last = bytes.popLast() else { return nil }
      return bytes + [last + 1]
    }
    var scalars = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    while let last = scalars.popLast() {
      // Surrogates are no characters.
      let above = last.value == 0xd7ff ? 0xe000 : last.value + 1
      guard let scalar = Unicode.Scalar(above) else { continue }
      scalars.append(scalar)
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars)
      return Array(String(text).utf8)
    }
    return nil
  }

  /// As values of the leaf's type, uncut.
  func values(_ leaf: ParquetLeaf) -> (minimum: Value?, maximum: Value?) {
    guard !isEmpty, let type = leaf.columnType else { return (nil, nil) }
    func value(_ integer: Int64, _ double: Double, _ text: [UInt8]) -> Value? {
      switch type {
      case .boolean: .boolean(integer != 0)
      case .integer: .integer(integer)
      case .timestamp: .timestamp(integer)
      case .date: .date(integer)
      case .double: .double(double)
      case .string: .string(String(decoding: text, as: UTF8.self))
      case .bytes: .bytes(text)
      case .decimal(let scale):
        if leaf.storedColumnType == .integer {
          .decimal(unscaled: Int128(integer), scale: scale)
        } else {
          (try? ValueConversion.decimal(text[...])).map { .decimal(unscaled: $0, scale: scale) }
        }
      }
    }
    return (
      value(integers.lowerBound, lowerDouble, lowerText), value(integers.upperBound, upperDouble, upperText)
    )
  }
}
