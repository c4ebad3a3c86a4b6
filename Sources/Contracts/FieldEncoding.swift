internal import Columns

/// How a field of a contract is written, in JSON and in Avro's binary form, and what becomes of it in a column.
enum FieldEncoding: Sendable {
  case boolean
  /// Numbers of `bits` bits, each times `factor` in the column (timestamps: microseconds).
  case integer(bits: Int, factor: Int64, kind: IntegerKind)
  case single, double
  case string, uuid
  case enumeration(EnumSymbols)
  case bytes
  case fixed(sizeBytes: Int)
  case fixedUUID
  case decimal(precision: Int, scale: Int, fixedBytes: Int?)
  /// Canonical JSON text of an array, a map, or a union of several types.
  case document(AvroSchema.TypeID)

  enum IntegerKind: Sendable {
    case plain
    /// JSON may also write them as RFC 3339 text.
    case timestamp
    /// JSON may also write them as `2013-01-31`.
    case date
  }

  /// What a number of the schema is multiplied by to be one of the column.
  var factor: Int64 {
    if case .integer(_, let factor, _) = self { factor } else { 1 }
  }

  var columnType: ColumnType {
    switch self {
    case .boolean: .boolean
    case .integer(_, _, .plain): .integer
    case .integer(_, _, .timestamp): .timestamp
    case .integer(_, _, .date): .date
    case .single, .double: .double
    case .string, .uuid, .enumeration, .fixedUUID, .document: .string
    case .bytes, .fixed: .bytes
    case .decimal(_, let scale, _): .decimal(scale: scale)
    }
  }
}

/// The symbols of an enum, and the one that stands for those that are not among them.
struct EnumSymbols: Sendable {
  let symbols: [[UInt8]]
  let fallback: Int?
  private let ordered: [Int]

  init(_ symbols: [String], fallback: String?) {
    let bytes = symbols.map { Array($0.utf8) }
    self.symbols = bytes
    self.fallback = fallback.flatMap { symbols.firstIndex(of: $0) }
    ordered = bytes.indices.sorted { bytes[$0].lexicographicallyPrecedes(bytes[$1]) }
  }

  /// Binary search over the symbols' bytes.
  func index(of text: Span<UInt8>) -> Int? {
    var (low, high) = (0, ordered.count)
    while low < high {
      let middle = (low + high) / 2
      let symbol = symbols[ordered[middle]]
      let order = Constraints.order(symbol.span, text)
      if order == 0 { return ordered[middle] }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }
}

extension FieldEncoding {
  /// - Returns: nil when the type is a record, which is flattened instead.
  init?(_ schema: AvroSchema, _ id: AvroSchema.TypeID) {
    let type = schema.types[id]
    switch type.shape {
    case .record: return nil
    case .boolean: self = .boolean
    case .int: self = .integer(bits: 32, factor: 1, kind: type.logical == .date ? .date : .plain)
    case .long:
      switch type.logical {
      case .timestampMillis, .localTimestampMillis: self = .integer(bits: 64, factor: 1_000, kind: .timestamp)
      case .timestampMicros, .localTimestampMicros: self = .integer(bits: 64, factor: 1, kind: .timestamp)
      default: self = .integer(bits: 64, factor: 1, kind: .plain)
      }
    case .float: self = .single
    case .double: self = .double
    case .string: self = type.logical == .uuid ? .uuid : .string
    case .enumeration(let symbols, let fallback): self = .enumeration(EnumSymbols(symbols, fallback: fallback))
    case .bytes:
      if case .decimal(let precision, let scale) = type.logical {
        self = .decimal(precision: precision, scale: scale, fixedBytes: nil)
      } else {
        self = .bytes
      }
    case .fixed(let size):
      switch type.logical {
      case .decimal(let precision, let scale): self = .decimal(precision: precision, scale: scale, fixedBytes: size)
      case .uuid: self = .fixedUUID
      default: self = .fixed(sizeBytes: size)
      }
    case .null, .array, .map, .union: self = .document(id)
    }
  }
}
