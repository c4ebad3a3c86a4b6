internal import Core
internal import Columns

extension RecordFault {
  /// Why, in a sentence for a person: what was found and what was expected. Made when a record is dead-lettered.
  ///
  /// - Parameter value: the record's value; nil for a tombstone.
  package func reason(in contract: Contract, value: RawSpan?) -> String {
    let expected = expectation(in: contract)
    let found = found(in: value)
    let text = found.map { "found \($0), expected \(expected)" } ?? "expected \(expected)"
    return path.map { "\($0): \(text)" } ?? text
  }

  private func found(in value: RawSpan?) -> String? {
    switch found {
    case .nothing: return nil
    case .integer(let number): return "\(number)"
    case .double(let number): return "\(number)"
    case .schema(let id): return "schema id \(id)"
    case .bytes(let range): return excerpt(range, of: value)
    case .notJSON(let fault):
      return excerpt(fault.position..<Int.max, of: value).map { "\($0) at byte \(fault.position)" }
    }
  }

  /// At most 48 bytes of the record's value, as text where it is text.
  private func excerpt(_ range: Range<Int>, of value: RawSpan?) -> String? {
    guard let value else { return nil }
    let start = min(max(range.lowerBound, 0), value.byteCount)
    let end = min(max(range.upperBound, start), value.byteCount)
    guard start < end else { return "nothing" }
    let bytes = unsafe value.extracting(start..<min(end, start + 48)).withUnsafeBytes { unsafe Array($0) }
    let dots = end - start > 48 ? "…" : ""
    // A character that the cut halves is not shown.
    for cut in 0..<min(4, bytes.count) {
      if let text = String(validating: bytes.dropLast(cut), as: UTF8.self) { return text.debugDescription + dots }
    }
    let digits = bytes.map { String($0, radix: 16) }.map { $0.utf8.count == 1 ? "0\($0)" : $0 }
    return "bytes \(digits.joined())\(dots)"
  }

  private func expectation(in contract: Contract) -> String {
    let constraints = field.map { contract.fields[$0].constraints }
    switch code {
    case .tombstone: return "a value: a tombstone is no event"
    case .tooLarge: return "a smaller value"
    case .unreadable: return "a batch that expands to less than the client takes"
    case .notJSON:
      if case .notJSON(let fault) = found { return "JSON: \(fault.reason.expectation)" }
      return "JSON"
    case .notAvro: return "Avro's binary form of the writer's schema, and nothing behind it"
    case .notFramed: return "a zero byte and a schema id in front of the value"
    case .unknownSchema: return "a schema that the registry has"
    case .schemaUnavailable: return "an answer of the schema registry"
    case .incompatibleSchema: return "a writer's schema that can be read as \(contract.subject)"
    case .missingField: return "the field: it has no default"
    case .nullValue: return "a value: the field may not be null"
    case .wrongType, .outOfRange, .notIntegral, .notRepresentable, .notTime, .notBytes, .notUUID, .unknownSymbol:
      return typeExpectation(in: contract)
    case .notFinite: return "a finite number: the contract does not say allow_nan"
    case .notUTF8: return "UTF-8"
    case .tooDeep: return "values nested at most \(AvroSchema.depthMax) deep"
    case .belowMinimum: return "at least \(bound(constraints?.minimum, in: contract))"
    case .aboveMaximum: return "at most \(bound(constraints?.maximum, in: contract))"
    case .notAllowed: return "one of the contract's values"
    case .patternMismatch: return "a match of \(constraints?.pattern?.text ?? "the pattern")"
    case .tooLong: return "at most \(constraints?.lengthMax ?? 0) characters"
    case .eventTimeMissing: return "an event time"
    case .eventTimeOutOfRange: return "a time from 1970 to 9999: is the unit right?"
    case .eventTimeAhead: return "an event time that is not ahead of the record's timestamp"
    }
  }

  private func typeExpectation(in contract: Contract) -> String {
    guard let field else { return "an object" }
    let type = contract.fields[field]
    return switch type.encoding {
    case .boolean: "true or false"
    case .integer(_, _, .timestamp): "a number of the schema's unit, or a time as RFC 3339 writes it"
    case .integer(_, _, .date): "days since 1970, or a date such as 2013-01-31"
    case .integer(let bits, _, .plain): "a \(bits)-bit integer"
    case .single: "a number that a float can hold"
    case .double: "a number that a double can hold"
    case .string: "a string"
    case .uuid, .fixedUUID: "a UUID"
    case .enumeration: "a symbol of the enum"
    case .bytes: "a string of characters U+0000 to U+00FF"
    case .fixed(let size): "a string of \(size) characters U+0000 to U+00FF"
    case .decimal(let precision, let scale, _): "a decimal of at most \(precision) digits, \(scale) behind the point"
    case .document(let id): "a value of type \(contract.schema.types[id].title)"
    }
  }

  /// In the column's unit, as `found` is.
  private func bound(_ value: Value?, in contract: Contract) -> String {
    switch value {
    case .integer(let value), .timestamp(let value), .date(let value): "\(value)"
    case .double(let value): "\(value)"
    case .decimal(let unscaled, let scale): JSONScalar.decimalText(unscaled, scale: scale)
    default: "the bound"
    }
  }
}
