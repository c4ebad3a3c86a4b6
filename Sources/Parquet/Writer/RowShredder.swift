internal import Columns
internal import Core

/// Takes rows apart into the values and levels of their leaves (the other direction of `ParquetRowReader`).
struct RowShredder {
  struct Leaf {
    var values: Column
    var definitions: [UInt8] = []
    var repetitions: [UInt8] = []
  }

  private static let fullEntries = 65_536
  private static let fullTextBytes = 8 << 20

  private(set) var leaves: [Leaf]
  private(set) var rowCount = 0
  private let fields: [NestedField]
  private let names: [String]

  init(_ schema: ParquetSchema) {
    leaves = schema.leaves.map { Leaf(values: Column($0.columnType ?? .bytes)) }
    names = schema.leaves.map(\.name)
    var next = 0
    fields = schema.fields.map {
      NestedField($0, definitionLevel: 0, repetitionLevel: 0, nextLeaf: &next)
    }
  }

  /// So much is collected that it should be encoded.
  var isFull: Bool {
    leaves.contains { $0.definitions.count >= Self.fullEntries || $0.values.text.bytes.count >= Self.fullTextBytes }
  }

  mutating func removeAll() {
    rowCount = 0
    for index in leaves.indices {
      leaves[index].values.removeAll()
      leaves[index].definitions.removeAll(keepingCapacity: true)
      leaves[index].repetitions.removeAll(keepingCapacity: true)
    }
  }

  mutating func append(_ row: ParquetValue) throws(HeadraceError) {
    guard case .structure(let values) = row, values.count == fields.count else {
      throw HeadraceError(
        .user, "PARQUET_VALUE", "a row that is no structure of \(fields.count) values", place: "row \(rowCount)")
    }
    for (field, value) in zip(fields, values) { try append(value, field, definition: 0, repetition: 0) }
    rowCount += 1
  }

  /// - Parameters:
  ///   - definition: the level of what is around the field.
  ///   - repetition: the level of the first entry that the value gives.
  private mutating func append(
    _ value: ParquetValue, _ field: NestedField, definition: Int, repetition: Int
  ) throws(HeadraceError) {
    guard field.repetition == .repeated else {
      guard field.repetition == .optional, value == .null else {
        return try appendPresent(value, field, repetition: repetition)
      }
      return appendMissing(field, definition: definition, repetition: repetition)
    }
    guard case .list(let elements) = value else { throw unfit(value, field, "a list") }
    guard !elements.isEmpty else { return appendMissing(field, definition: definition, repetition: repetition) }
    for (index, element) in elements.enumerated() {
      try appendPresent(element, field, repetition: index == 0 ? repetition : field.repetitionLevel)
    }
  }

  private mutating func appendPresent(
    _ value: ParquetValue, _ field: NestedField, repetition: Int
  ) throws(HeadraceError) {
    switch (field.shape, value) {
    case (.leaf, .scalar(let scalar)):
      let index = field.leaves.lowerBound
      guard scalar != .null, leaves[index].values.append(scalar) else {
        throw unfit(value, field, "\(leaves[index].values.type)")
      }
      appendLevels(index, definition: field.definitionLevel, repetition: repetition)
    case (.structure(let children), .structure(let values)) where children.count == values.count:
      for (child, value) in zip(children, values) {
        try append(value, child, definition: field.definitionLevel, repetition: repetition)
      }
    case (.list(let repeated, let unwraps), .list(let elements)):
      let wrapped = unwraps ? elements.map { .structure([$0]) } : elements
      try append(.list(wrapped), repeated, definition: field.definitionLevel, repetition: repetition)
    case (.map(let repeated), .map(let entries)):
      let pairs = entries.map { ParquetValue.structure([$0.key, $0.value]) }
      try append(.list(pairs), repeated, definition: field.definitionLevel, repetition: repetition)
    default: throw unfit(value, field, field.kind)
    }
  }

  private mutating func appendMissing(_ field: NestedField, definition: Int, repetition: Int) {
    for index in field.leaves { appendLevels(index, definition: definition, repetition: repetition) }
  }

  private mutating func appendLevels(_ index: Int, definition: Int, repetition: Int) {
    leaves[index].definitions.append(UInt8(truncatingIfNeeded: definition))
    leaves[index].repetitions.append(UInt8(truncatingIfNeeded: repetition))
  }

  private func unfit(_ value: ParquetValue, _ field: NestedField, _ wanted: String) -> HeadraceError {
    HeadraceError(
      .user, "PARQUET_VALUE", "\(value) where \(field.name) is \(wanted)",
      place: "row \(rowCount), column \(names[field.leaves.lowerBound])")
  }
}

extension NestedField {
  fileprivate var kind: String {
    switch shape {
    case .leaf: "a value"
    case .structure(let children): "a structure of \(children.count) fields"
    case .list: "a list"
    case .map: "a map"
    }
  }
}
