package import Core

/// The tree of a file's fields, and its leaves: the columns that are stored.
package struct ParquetSchema: Hashable, Sendable {
  /// Deeper trees are refused: levels are counted in a byte, and walks over the tree recurse.
  static let maximumDepth = 64
  /// More columns are refused. Files of machine learning have some thousands.
  static let maximumFields = 100_000

  package let fields: [ParquetField]
  /// Depth first, which is the order of the column chunks of a row group.
  package let leaves: [ParquetLeaf]

  /// - Throws: for an empty tree, empty groups, decimals wider than their type and what is above the limits.
  package init(_ fields: [ParquetField]) throws(HeadraceError) {
    self.fields = fields
    var walk = SchemaWalk()
    try walk.visit(fields, path: [], definitionLevel: 0, repetitionLevel: 0)
    leaves = walk.leaves
  }

  /// The leaf of a dotted path: `"add.path"`.
  package func leaf(_ name: String) -> ParquetLeaf? { leaves.first { $0.name == name } }
}

/// Collects the leaves of a tree with their levels.
private struct SchemaWalk {
  var leaves: [ParquetLeaf] = []
  var fieldCount = 0

  mutating func visit(
    _ fields: [ParquetField], path: [String], definitionLevel: Int, repetitionLevel: Int
  ) throws(HeadraceError) {
    guard path.count < ParquetSchema.maximumDepth else {
      throw Self.refusal("fields are nested deeper than \(ParquetSchema.maximumDepth) levels", path)
    }
    fieldCount += fields.count
    guard fieldCount <= ParquetSchema.maximumFields else {
      throw Self.refusal("more than \(ParquetSchema.maximumFields) fields", path)
    }
    for field in fields {
      let path = path + [field.name]
      let definitionLevel = definitionLevel + (field.repetition == .required ? 0 : 1)
      let repetitionLevel = repetitionLevel + (field.repetition == .repeated ? 1 : 0)
      switch field.content {
      case .group(let children):
        guard !children.isEmpty else { throw Self.refusal("a group without fields", path) }
        try visit(children, path: path, definitionLevel: definitionLevel, repetitionLevel: repetitionLevel)
      case .leaf(let type, let length):
        let leaf = ParquetLeaf(
          index: leaves.count, path: path, physicalType: type, length: length, logicalType: field.logicalType,
          repetition: field.repetition, maximumDefinitionLevel: definitionLevel,
          maximumRepetitionLevel: repetitionLevel)
        if let reason = leaf.contradiction { throw Self.refusal(reason, path) }
        leaves.append(leaf)
      }
    }
  }

  private static func refusal(_ message: String, _ path: [String]) -> HeadraceError {
    HeadraceError(
      .user, "PARQUET_SCHEMA", message, place: path.isEmpty ? nil : "column \(path.joined(separator: "."))")
  }
}
