package import Core

/// A schema as Apache Avro 1.12 describes it: a graph of types, because a named type may contain itself.
package struct AvroSchema: Sendable {
  /// A position in `types`.
  package typealias TypeID = Int

  package let types: [AvroType]
  package let root: TypeID

  package subscript(id: TypeID) -> AvroType { types[id] }

  /// The largest file that is read, in bytes: schemas in use have a few hundred to a few ten thousand.
  package static let sizeBytesMax = 1 << 20
  /// How deep types may be nested: everything that walks over a schema recurses.
  package static let depthMax = 64
  static let graphDepthMax = 256
  static let typesMax = 10_000

  /// - Parameters:
  ///   - json: the text of an `.avsc` file.
  ///   - place: the file, or where else it came from: what errors name.
  ///   - references: schemas whose named types this one uses, each after those that it uses itself.
  /// - Throws: what is wrong, with line and column in `place`.
  package init(json: [UInt8], place: String, references: [[UInt8]] = []) throws(HeadraceError) {
    var parser = AvroSchemaParser()
    for (index, reference) in references.enumerated() {
      _ = try parser.document(reference, place: "\(place), reference \(index + 1)")
    }
    root = try parser.document(json, place: place)
    types = parser.types
    var paths = PathLengths(types)
    guard paths.areBounded(from: root) else {
      throw HeadraceError(
        .user, "SCHEMA_INVALID", "types contain each other more than \(Self.graphDepthMax) deep", place: place,
        remedy: "flatten the schema")
    }
  }
}

/// How long the ways through a schema are: named types may refer to each other in long chains.
private struct PathLengths {
  let types: [AvroType]
  private var longest: [Int]
  private var isOpen: [Bool]

  init(_ types: [AvroType]) {
    self.types = types
    longest = [Int](repeating: -1, count: types.count)
    isOpen = [Bool](repeating: false, count: types.count)
  }

  mutating func areBounded(from id: AvroSchema.TypeID, depth: Int = 0) -> Bool {
    guard depth < AvroSchema.graphDepthMax else { return false }
    guard !isOpen[id], depth > longest[id] else { return true }
    longest[id] = depth
    isOpen[id] = true
    defer { isOpen[id] = false }
    let inner: [AvroSchema.TypeID] =
      switch types[id].shape {
      case .record(let fields): fields.map(\.type)
      case .array(let item), .map(let item): [item]
      case .union(let branches): branches
      default: []
      }
    return inner.allSatisfy { areBounded(from: $0, depth: depth + 1) }
  }
}

/// One type of a schema.
package struct AvroType: Sendable {
  package indirect enum Shape: Sendable {
    case null, boolean, int, long, float, double, bytes, string
    case record([AvroField])
    case enumeration(symbols: [String], default: String?)
    case fixed(sizeBytes: Int)
    case array(AvroSchema.TypeID)
    case map(AvroSchema.TypeID)
    case union([AvroSchema.TypeID])
  }

  package var shape: Shape
  /// The full name of a record, an enum or a fixed, with its namespace.
  package var name: String?
  /// Full names.
  package var aliases: [String] = []
  /// nil when there is none, when it is unknown, or when it does not go with the shape: all three mean the plain type.
  package var logical: AvroLogicalType?
}

package struct AvroField: Sendable {
  package var name: String
  package var aliases: [String]
  package var type: AvroSchema.TypeID
  /// Checked against the type.
  var defaultValue: JSONDocument?
  /// Ours; other readers ignore it.
  var constraints: JSONDocument?
}

/// What a type stands for beyond its bytes.
package enum AvroLogicalType: Hashable, Sendable {
  case date
  case timeMillis, timeMicros
  case timestampMillis, timestampMicros
  case localTimestampMillis, localTimestampMicros
  case decimal(precision: Int, scale: Int)
  case uuid
}

extension AvroType {
  /// The name that people know it by.
  package var title: String {
    if let name { return name }
    return switch shape {
    case .null: "null"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .record: "record"
    case .enumeration: "enum"
    case .fixed: "fixed"
    case .array: "array"
    case .map: "map"
    case .union: "union"
    }
  }

  /// A name without its namespace.
  static func unqualified(_ name: String) -> String {
    name.split(separator: ".").last.map(String.init) ?? name
  }
}

extension AvroSchema {
  /// What a union of null and one other type allows: the other type; nil for every other type.
  func nullableBranch(_ id: TypeID) -> TypeID? {
    guard case .union(let branches) = types[id].shape, branches.count == 2 else { return nil }
    let others = branches.filter { !isNull($0) }
    return others.count == 1 ? others[0] : nil
  }

  func isNull(_ id: TypeID) -> Bool {
    if case .null = types[id].shape { true } else { false }
  }

  /// Whether null is a value of this type.
  func allowsNull(_ id: TypeID) -> Bool {
    if case .union(let branches) = types[id].shape { return branches.contains { isNull($0) } }
    return isNull(id)
  }
}
