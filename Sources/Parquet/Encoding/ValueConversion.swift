internal import Columns

/// From values as they are stored to values as they are meant.
enum ValueConversion: Equatable {
  case none
  /// Timestamps that are not in microseconds already.
  case milliseconds
  case nanoseconds
  /// Nanoseconds of a day and a Julian day number, in 12 bytes.
  case int96
  /// Decimals: numbers, or bytes in two's complement with the highest first.
  case decimalOfNumber
  case decimalOfBytes
  case unsigned64
  case uuid

  init(_ leaf: ParquetLeaf) {
    switch (leaf.physicalType, leaf.logicalType) {
    case (.int32, .decimal), (.int64, .decimal): self = .decimalOfNumber
    case (.byteArray, .decimal), (.fixedLengthByteArray, .decimal): self = .decimalOfBytes
    case (.int64, .timestamp(.milliseconds, _)): self = .milliseconds
    case (.int64, .timestamp(.nanoseconds, _)): self = .nanoseconds
    case (.int64, .integer(bits: 64, isSigned: false)): self = .unsigned64
    case (.int96, _): self = .int96
    case (.fixedLengthByteArray, .uuid): self = .uuid
    default: self = .none
    }
  }

  private static let julianDayOf1970: Int64 = 2_440_588
  private static let microsecondsOfDay: Int64 = 86_400_000_000

  /// Appends all rows of `source`, converted. `source` has no nulls.
  func append(_ source: borrowing Column, to target: inout Column) throws(ParquetFault) {
    let count = source.count
    switch self {
    case .none: target.append(0..<count, of: source)
    case .milliseconds:
      for row in 0..<count {
        let (value, overflows) = source.integers[row].multipliedReportingOverflow(by: 1_000)
        guard !overflows else { throw .unsupported("a timestamp of \(source.integers[row]) milliseconds") }
        target.append(value)
      }
    case .nanoseconds:
      for row in 0..<count {
        let (quotient, remainder) = source.integers[row].quotientAndRemainder(dividingBy: 1_000)
        target.append(remainder < 0 ? quotient - 1 : quotient)
      }
    case .int96:
      for row in 0..<count { target.append(try Self.microseconds(int96: source.text.bytes[source.text.range(row)])) }
    case .decimalOfNumber: for row in 0..<count { target.append(Int128(source.integers[row])) }
    case .unsigned64: for row in 0..<count { target.append(Int128(UInt64(bitPattern: source.integers[row]))) }
    case .decimalOfBytes:
      for row in 0..<count { target.append(try Self.decimal(source.text.bytes[source.text.range(row)])) }
    case .uuid: for row in 0..<count { target.append(Self.uuid(source.text.bytes[source.text.range(row)])) }
    }
  }

  static func microseconds(int96 bytes: ArraySlice<UInt8>) throws(ParquetFault) -> Int64 {
    var words: [UInt64] = [0, 0]
    for (index, byte) in bytes.prefix(12).enumerated() { words[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8)) }
    let day = Int64(Int32(truncatingIfNeeded: words[1])) - julianDayOf1970
    let (start, overflows) = day.multipliedReportingOverflow(by: microsecondsOfDay)
    let (value, overflowsToo) = start.addingReportingOverflow(Int64(bitPattern: words[0]) / 1_000)
    guard !overflows, !overflowsToo else {
      throw .unsupported("a timestamp at Julian day \(Int32(truncatingIfNeeded: words[1]))")
    }
    return value
  }

  /// - Throws: for more than 16 bytes whose first ones are no sign extension.
  static func decimal(_ bytes: ArraySlice<UInt8>) throws(ParquetFault) -> Int128 {
    guard let first = bytes.first else { return 0 }
    let sign: Int128 = first >= 0x80 ? -1 : 0
    var value = sign
    let excess = bytes.count - 16
    if excess > 0 {
      let padding: UInt8 = sign == 0 ? 0 : 0xff
      let isExtension = bytes.prefix(excess).allSatisfy { $0 == padding }
      guard isExtension, bytes[bytes.startIndex + excess] & 0x80 == padding & 0x80 else {
        throw .unsupported("a decimal of \(bytes.count) bytes")
      }
    }
    for byte in bytes.suffix(16) { value = value << 8 | Int128(byte) }
    return value
  }

  private static let hexadecimal = Array("0123456789abcdef".utf8)

  private static func uuid(_ bytes: ArraySlice<UInt8>) -> String {
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
      text.append(hexadecimal[Int(byte >> 4)])
      text.append(hexadecimal[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension ParquetLeaf {
  /// A column for values as they are stored.
  var storedColumnType: ColumnType {
    switch physicalType {
    case .boolean, .int32, .int64: .integer
    case .float, .double: .double
    case .int96, .byteArray, .fixedLengthByteArray: .bytes
    }
  }

  var isUnsigned32: Bool {
    guard physicalType == .int32, case .integer(_, isSigned: false) = logicalType else { return false }
    return true
  }
}
