internal import Columns

/// The normal form of a typed expression: prefix notation, for machines.
enum CanonicalText {
  static func of(_ node: TypedNode) -> String {
    switch node.kind {
    case .constant(let value): return constant(value, node.type ?? .boolean)
    case .field(_, let name): return "\(quoted(name))::\(node.type ?? .boolean)"
    case .operation(let operation, let operands):
      var texts = operands.map(of)
      if operation.isCommutative { texts.sort() }
      return "\(operation.canonicalName)(\(texts.joined(separator: ", ")))"
    }
  }

  static func quoted(_ name: String) -> String {
    "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
  }

  static func constant(_ value: Value, _ type: ColumnType = .boolean) -> String {
    switch value {
    case .null, .list: "null::\(type)"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let text):
      "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
    case .bytes(let bytes): "x'\(bytes.map(hexadecimal).joined())'"
    case .timestamp(let value): "timestamp \(value)"
    case .date(let value): "date \(value)"
    case .decimal(let unscaled, let scale): "decimal \(unscaled) \(scale)"
    }
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return byte < 16 ? "0\(digits)" : digits
  }
}

extension Operation {
  /// Equal results whichever operand comes first.
  var isCommutative: Bool {
    switch self {
    case .arithmetic(.add, _), .arithmetic(.multiply, _), .compare(.equal, _), .compare(.notEqual, _), .and, .or: true
    default: false
    }
  }

  /// A name that is stable from version to version: stored fingerprints depend on it.
  var canonicalName: String {
    switch self {
    case .arithmetic(let operation, let kind): "\(kind)\(operation.rawValue)"
    case .negate(let kind): "\(kind)-"
    case .compare(let comparison, _): comparison.rawValue
    case .and: "and"
    case .or: "or"
    case .not: "not"
    case .isNull(let isNegated): isNegated ? "is not null" : "is null"
    case .cast(_, let target): "cast \(target.type) \(target.precision)"
    case .select: "if"
    case .coalesce: "coalesce"
    case .absolute: "abs"
    case .sign: "sign"
    case .extreme(let isGreatest, _): isGreatest ? "greatest" : "least"
    case .math(let function): function.rawValue
    case .binaryMath(let function): function.rawValue
    case .round(let places): "round \(places)"
    case .isNaN: "is_nan"
    case .haversine: "haversine_km"
    case .bucket: "bucket"
    case .textMap(let map): map.rawValue
    case .textTest(let test): test.rawValue
    case .length(let inBytes): inBytes ? "byte_length" : "length"
    case .substring: "substring"
    case .concatenate: "||"
    case .replace: "replace"
    case .splitPart: "split_part"
    case .like(let pattern): "like \(CanonicalText.quoted(pattern.text)) escape \(pattern.escape.map(\.value) ?? 0)"
    case .membership(let set): "in {\(set.values.map { CanonicalText.constant($0) }.joined(separator: ", "))}"
    case .timePart(let part, let zone): "\(part.rawValue) \(zone.name)"
    case .truncate(let unit, let zone): "date_trunc \(unit.rawValue) \(zone.name)"
    case .epochMilliseconds: "epoch_ms"
    case .timestampOfMilliseconds: "timestamp_ms"
    case .hash: "hash"
    case .hashBucket: "hash_bucket"
    case .timestampDifference: "ms between"
    case .timestampShift(let isForward): isForward ? "ms after" : "ms before"
    }
  }
}
