internal import Core
internal import Columns

/// One JSON scalar as a value of a field: the rules, for everything that the fast paths leave over.
///
/// - Integers are integral and in range; `1.0` and `1e3` are integers. Timestamps may also be RFC 3339 text, dates
///   `2013-01-31`.
/// - Floating point takes every number that does not overflow; where the contract allows NaN also "NaN", "Infinity" and
///   "-Infinity".
/// - Decimals are numbers or text of a number, exact: no digit is rounded away.
/// - Bytes and fixed are Avro's: characters U+0000 to U+00FF, one for each byte.
/// - Nothing else is converted: a number in quotes is no number.
struct JSONScalar {
  let encoding: FieldEncoding
  let allowsNaN: Bool

  enum Cell {
    case integer(Int64)
    case double(Double)
    case decimal(Int128)
    case text([UInt8])
    case fault(FaultCode)
  }

  /// - Parameter text: of a string its text, escapes resolved; of a number as it is written.
  func cell(_ kind: JSONValue.Kind, _ text: Span<UInt8>) -> Cell {
    switch kind {
    case .integer, .decimal: number(text)
    case .string, .escapedString: string(text)
    case .true, .false:
      if case .boolean = encoding { .integer(kind == .true ? 1 : 0) } else { .fault(.wrongType) }
    case .missing, .null, .object, .array: .fault(.wrongType)
    }
  }

  private func number(_ text: Span<UInt8>) -> Cell {
    switch encoding {
    case .integer(let bits, let factor, _):
      guard let value = JSONNumber.decimal(text, scale: 0) else {
        return .fault(JSONNumber.isIntegral(text) ? .outOfRange : .notIntegral)
      }
      guard let integer = Int64(exactly: value), bits == 64 || Int32(exactly: integer) != nil else {
        return .fault(.outOfRange)
      }
      let (scaled, overflow) = integer.multipliedReportingOverflow(by: factor)
      return overflow ? .fault(.outOfRange) : .integer(scaled)
    case .single: return finite(Float(Self.string(text)).map(Double.init))
    case .double: return finite(Double(Self.string(text)))
    case .decimal(let precision, let scale, _): return decimal(text, precision: precision, scale: scale)
    default: return .fault(.wrongType)
    }
  }

  private func finite(_ value: Double?) -> Cell {
    guard let value, value.isFinite else { return .fault(.outOfRange) }
    return .double(value)
  }

  private func decimal(_ text: Span<UInt8>, precision: Int, scale: Int) -> Cell {
    guard let unscaled = JSONNumber.decimal(text, scale: scale) else { return .fault(.notRepresentable) }
    return DecimalBytes.isWithin(unscaled, precision: precision) ? .decimal(unscaled) : .fault(.notRepresentable)
  }

  private func string(_ text: Span<UInt8>) -> Cell {
    switch encoding {
    case .string: return .text(Self.bytes(text))
    case .uuid: return UUIDText.isValid(text) ? .text(Self.bytes(text)) : .fault(.notUUID)
    case .fixedUUID:
      if UUIDText.isValid(text) { return .text(Self.bytes(text)) }
      return fixed(text, sizeBytes: 16) { Array(UUIDText.text(of: $0.span).utf8) } ?? .fault(.notUUID)
    case .enumeration(let symbols):
      guard let index = symbols.index(of: text) ?? symbols.fallback else { return .fault(.unknownSymbol) }
      return .text(symbols.symbols[index])
    case .bytes: return AvroDefault.bytes(Self.string(text)).map { .text($0) } ?? .fault(.notBytes)
    case .fixed(let size): return fixed(text, sizeBytes: size) { $0 } ?? .fault(.notBytes)
    case .integer(_, _, .timestamp): return RFC3339.microseconds(text).map { .integer($0) } ?? .fault(.notTime)
    case .integer(_, _, .date): return RFC3339.days(text).map { .integer($0) } ?? .fault(.notTime)
    case .single, .double: return notFinite(Self.string(text))
    case .decimal(let precision, let scale, _):
      guard JSONNumber.isValid(text) else { return .fault(.wrongType) }
      return decimal(text, precision: precision, scale: scale)
    case .boolean, .integer, .document: return .fault(.wrongType)
    }
  }

  private func fixed(_ text: Span<UInt8>, sizeBytes: Int, _ convert: ([UInt8]) -> [UInt8]) -> Cell? {
    guard let bytes = AvroDefault.bytes(Self.string(text)), bytes.count == sizeBytes else { return nil }
    return .text(convert(bytes))
  }

  private func notFinite(_ text: String) -> Cell {
    let value: Double
    switch text {
    case "NaN": value = .nan
    case "Infinity": value = .infinity
    case "-Infinity": value = -.infinity
    default: return .fault(.wrongType)
    }
    return allowsNaN ? .double(value) : .fault(.notFinite)
  }

  static func bytes(_ text: Span<UInt8>) -> [UInt8] { unsafe text.withUnsafeBufferPointer { unsafe Array($0) } }

  static func string(_ text: Span<UInt8>) -> String { String(decoding: bytes(text), as: UTF8.self) }
}

// MARK: Canonical text

extension JSONScalar {
  /// Appends the canonical text of a scalar inside of an array or a map.
  ///
  /// - Returns: what is wrong with it.
  func write(_ value: JSONDocument, to json: inout [UInt8]) -> FaultCode? {
    let cell: Cell
    switch value.content {
    case .boolean(let isTrue): cell = self.cell(isTrue ? .true : .false, [UInt8]().span)
    case .number(let text): cell = self.cell(.decimal, Array(text.utf8).span)
    case .string(let text): cell = self.cell(.string, Array(text.utf8).span)
    case .null, .array, .object: return .wrongType
    }
    if case .fault(let code) = cell { return code }
    write(cell, to: &json)
    return nil
  }

  func write(_ cell: Cell, to json: inout [UInt8]) {
    switch (cell, encoding) {
    case (.integer(let value), .boolean): json += (value == 0 ? "false" : "true").utf8
    case (.integer(let value), _):
      // Back in the schema's unit; text with more digits than that is rounded down.
      let (quotient, remainder) = value.quotientAndRemainder(dividingBy: encoding.factor)
      json += "\(remainder < 0 ? quotient - 1 : quotient)".utf8
    case (.double(let value), _):
      if value.isFinite { json += "\(value)".utf8 } else { json += Self.notFiniteText(value).utf8 }
    case (.decimal(let unscaled), .decimal(_, let scale, _)): json += Self.decimalText(unscaled, scale: scale).utf8
    case (.decimal, _), (.fault, _): break
    case (.text(let bytes), .bytes), (.text(let bytes), .fixed):
      let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
      JSONText.appendString(text, to: &json)
    case (.text(let bytes), _): JSONText.appendString(bytes.span, to: &json)
    }
  }

  static func notFiniteText(_ value: Double) -> String {
    value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
  }

  /// `-12.30` for -1230 with two digits behind the point.
  static func decimalText(_ unscaled: Int128, scale: Int) -> String {
    guard scale > 0 else { return "\(unscaled)" }
    let digits = "\(unscaled.magnitude)"
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    return "\(unscaled < 0 ? "-" : "")\(padded.dropLast(scale)).\(padded.suffix(scale))"
  }
}

extension JSONScalar.Cell {
  /// nil for null and for lists.
  init?(_ value: Value) {
    switch value {
    case .boolean(let value): self = .integer(value ? 1 : 0)
    case .integer(let value), .timestamp(let value), .date(let value): self = .integer(value)
    case .double(let value): self = .double(value)
    case .decimal(let unscaled, _): self = .decimal(unscaled)
    case .string(let text): self = .text(Array(text.utf8))
    case .bytes(let bytes): self = .text(bytes)
    case .null, .list: return nil
    }
  }
}
