/// How one scalar of a writer becomes one of the reader: the promotions of Avro's schema resolution.
struct AvroScalar: Sendable {
  enum Wire: Sendable {
    case boolean, int, long, float, double, text
    case fixed(sizeBytes: Int)
    /// For each symbol of the writer the reader's; nil where it has none.
    case enumeration([Int?])
  }

  let wire: Wire
  let encoding: FieldEncoding
  /// What a number is multiplied by: the writer's unit of time decides.
  private let factor: Int64

  /// - Returns: nil when the one cannot be read as the other.
  init?(
    _ writer: AvroSchema, _ from: AvroSchema.TypeID, _ reader: AvroSchema, _ to: AvroSchema.TypeID
  ) {
    guard let encoding = FieldEncoding(reader, to) else { return nil }
    if case .document = encoding { return nil }
    let (source, target) = (writer.types[from], reader.types[to])
    switch (source.shape, target.shape) {
    case (.boolean, .boolean): wire = .boolean
    case (.int, .int), (.int, .long), (.int, .float), (.int, .double): wire = .int
    case (.long, .long), (.long, .float), (.long, .double): wire = .long
    case (.float, .float), (.float, .double): wire = .float
    case (.double, .double): wire = .double
    case (.string, .string), (.string, .bytes), (.bytes, .string), (.bytes, .bytes):
      guard Self.scalesAgree(source.logical, target.logical) else { return nil }
      wire = .text
    case (.fixed(let size), .fixed(let wanted)):
      guard size == wanted, AvroResolution.namesAgree(source, target),
        Self.scalesAgree(source.logical, target.logical)
      else { return nil }
      wire = .fixed(sizeBytes: size)
    case (.enumeration(let symbols, _), .enumeration(let wanted, let fallback)):
      guard AvroResolution.namesAgree(source, target) else { return nil }
      wire = .enumeration(symbols.map { wanted.firstIndex(of: $0) ?? fallback.flatMap { wanted.firstIndex(of: $0) } })
    default: return nil
    }
    self.encoding = encoding
    let written = FieldEncoding(writer, from)
    factor =
      if case .integer(_, _, .timestamp) = encoding, case .integer(_, let own, .timestamp)? = written {
        own
      } else {
        encoding.factor
      }
  }

  /// Numbers of another scale are other numbers.
  private static func scalesAgree(_ source: AvroLogicalType?, _ target: AvroLogicalType?) -> Bool {
    guard case .decimal(_, let scale) = source, case .decimal(_, let wanted) = target else { return true }
    return scale == wanted
  }

  /// The step without references that does the same; nil when there is none.
  func plainStep(cell: Int) -> AvroPlan.Step? {
    switch (wire, encoding) {
    case (.long, .integer): .long(factor: factor, cell: cell)
    case (.double, .double): .double(cell: cell)
    case (.text, .string): .string(cell: cell)
    default: nil
    }
  }

  /// What was read.
  enum Cell {
    case integer(Int64)
    case double(Double)
    case decimal(Int128)
    /// Bytes of the input.
    case text(Range<Int>)
    case made([UInt8])
  }

  /// Reads one value.
  @inline(__always)
  func read(_ cursor: inout AvroCursor, cell: Int) throws(AvroFailure) -> Cell {
    switch wire {
    case .boolean: return .integer(try cursor.boolean() ? 1 : 0)
    case .int: return try number(try cursor.int(), cell)
    case .long: return try number(try cursor.long(), cell)
    case .float: return .double(try cursor.float())
    case .double: return .double(try cursor.double())
    case .text: return try text(try cursor.text(), cursor.bytes, cell)
    case .fixed(let size): return try text(try cursor.take(size), cursor.bytes, cell)
    case .enumeration(let mapping):
      guard case .enumeration(let symbols) = encoding else { throw .malformed }
      guard let symbol = mapping[try cursor.index(below: mapping.count)] else {
        throw AvroFailure(code: .unknownSymbol, cell: cell)
      }
      return .made(symbols.symbols[symbol])
    }
  }

  @inline(__always)
  private func number(_ value: Int64, _ cell: Int) throws(AvroFailure) -> Cell {
    switch encoding {
    case .double: return .double(Double(value))
    case .single: return .double(Double(Float(value)))
    default:
      let (scaled, overflow) = value.multipliedReportingOverflow(by: factor)
      if overflow { throw AvroFailure(code: .outOfRange, cell: cell) }
      return .integer(scaled)
    }
  }

  private func text(_ range: Range<Int>, _ bytes: Span<UInt8>, _ cell: Int) throws(AvroFailure) -> Cell {
    let written = bytes.extracting(range)
    switch encoding {
    case .decimal(let precision, _, _):
      guard let unscaled = DecimalBytes.unscaled(written, precision: precision) else {
        throw AvroFailure(code: .notRepresentable, cell: cell)
      }
      return .decimal(unscaled)
    case .uuid:
      guard UUIDText.isValid(written) else { throw AvroFailure(code: .notUUID, cell: cell) }
    case .fixedUUID: return .made(Array(UUIDText.text(of: written).utf8))
    case .string:
      guard UTF8Text.isValid(written) else { throw AvroFailure(code: .notUTF8, cell: cell) }
    default: break
    }
    return .text(range)
  }
}

/// Well-formed UTF-8 (Unicode 15, table 3-7).
enum UTF8Text {
  static func isValid(_ text: Span<UInt8>) -> Bool {
    var at = 0
    while at < text.count {
      let lead = text[at]
      if lead < 0x80 {
        at += 1
        continue
      }
      let length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
      guard lead >= 0xc2, lead <= 0xf4, length <= text.count - at else { return false }
      let low: UInt8 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80
      let high: UInt8 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf
      guard (low...high).contains(text[at + 1]) else { return false }
      for index in 2..<max(length, 2) where text[at + index] & 0xc0 != 0x80 { return false }
      at += length
    }
    return true
  }
}
