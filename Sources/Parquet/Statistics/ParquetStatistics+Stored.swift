internal import Columns

extension ParquetStatistics {
  /// What a file's statistics mean for a leaf; bounds that cannot be trusted are left out.
  init(_ stored: StoredStatistics, _ leaf: ParquetLeaf, hasColumnOrder: Bool) {
    self.init(nullCount: stored.nullCount)
    let isBytes = leaf.storedColumnType == .bytes
    if !isBytes || hasColumnOrder, stored.minimum != nil || stored.maximum != nil {
      minimum = stored.minimum.flatMap { Self.bound($0, leaf, isMaximum: false) }
      maximum = stored.maximum.flatMap { Self.bound($0, leaf, isMaximum: true) }
      // Files from before the flag hold whole numbers; strings may have been cut.
      isMinimumExact = stored.isMinimumExact ?? !isBytes
      isMaximumExact = stored.isMaximumExact ?? !isBytes
    } else if !isBytes, !leaf.isUnsigned {
      // Of before column orders: compared as signed numbers, which is right for these.
      minimum = stored.oldMinimum.flatMap { Self.bound($0, leaf, isMaximum: false) }
      maximum = stored.oldMaximum.flatMap { Self.bound($0, leaf, isMaximum: true) }
      isMinimumExact = true
      isMaximumExact = true
    }
    if case .timestamp(.nanoseconds, _) = leaf.logicalType {
      isMinimumExact = false
      isMaximumExact = false
    }
  }

  private static func bound(_ bytes: [UInt8], _ leaf: ParquetLeaf, isMaximum: Bool) -> Value? {
    guard let type = leaf.columnType else { return nil }
    switch leaf.physicalType {
    case .boolean: return bytes.count == 1 ? .boolean(bytes[0] != 0) : nil
    case .int32, .int64: return integer(bytes, leaf, type, isMaximum: isMaximum)
    case .float: return bytes.count == 4 ? double(Double(Float(bitPattern: UInt32(word(bytes)))), isMaximum) : nil
    case .double: return bytes.count == 8 ? double(Double(bitPattern: word(bytes)), isMaximum) : nil
    case .int96: return nil
    case .byteArray, .fixedLengthByteArray:
      switch type {
      case .string where leaf.logicalType == .uuid: return nil
      case .string: return text(bytes, isMaximum: isMaximum)
      case .bytes: return .bytes(bytes)
      case .decimal(let scale):
        let value = try? ValueConversion.decimal(bytes[...])
        return value.map { .decimal(unscaled: $0, scale: scale) }
      default: return nil
      }
    }
  }

  private static func word(_ bytes: [UInt8]) -> UInt64 {
    bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func integer(_ bytes: [UInt8], _ leaf: ParquetLeaf, _ type: ColumnType, isMaximum: Bool) -> Value? {
    guard bytes.count == leaf.fixedWidthBytes else { return nil }
    let bits = word(bytes)
    let isNarrow = leaf.physicalType == .int32
    let value = isNarrow ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
    switch (type, leaf.logicalType) {
    case (.decimal, .integer): return .decimal(unscaled: Int128(bits), scale: 0)
    case (.decimal(let scale), _): return .decimal(unscaled: Int128(value), scale: scale)
    case (.date, _): return .date(value)
    case (.timestamp, .timestamp(.milliseconds, _)):
      let (scaled, overflows) = value.multipliedReportingOverflow(by: 1_000)
      return overflows ? nil : .timestamp(scaled)
    case (.timestamp, .timestamp(.nanoseconds, _)):
      let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 1_000)
      return .timestamp(remainder < 0 ? quotient - 1 : quotient)
    case (.timestamp, _): return .timestamp(value)
    default: return .integer(leaf.isUnsigned32 ? Int64(UInt32(truncatingIfNeeded: bits)) : value)
    }
  }

  /// NaN bounds nothing, and a zero may stand for the other one (parquet.thrift, `ColumnOrder`).
  private static func double(_ value: Double, _ isMaximum: Bool) -> Value? {
    guard !value.isNaN else { return nil }
    return .double(value == 0 ? (isMaximum ? 0.0 : -0.0) : value)
  }

  /// A bound that was cut inside of a character is no string: below it is what comes before, above it nothing known.
  private static func text(_ bytes: [UInt8], isMaximum: Bool) -> Value? {
    for dropped in 0...3 {
      if let text = String(validating: bytes.dropLast(dropped), as: UTF8.self) { return .string(text) }
      if isMaximum { return nil }
    }
    return nil
  }
}

extension ParquetLeaf {
  var isUnsigned: Bool {
    guard case .integer(_, isSigned: false) = logicalType else { return false }
    return true
  }
}
