package import Columns
package import Core

/// The columns of a table, partition columns included.
package struct DeltaSchema: Hashable, Sendable {
  package let fields: [DeltaField]

  /// More columns than any table of ours, few enough to be searched one by one.
  static let fieldCountMax = 10_000

  /// - Throws: DELTA_SCHEMA_INVALID when two names differ in case only, or are empty.
  package init(_ fields: [DeltaField]) throws(HeadraceError) {
    var names: Set<String> = []
    for field in fields {
      guard !field.name.isEmpty, names.insert(field.name.lowercased()).inserted else {
        throw .deltaUser(
          "DELTA_SCHEMA_INVALID", "a column's name is empty, or there twice: \"\(field.name)\"", "schema",
          remedy: "give each column a name of its own; small and capital letters count as the same")
      }
    }
    guard fields.count <= Self.fieldCountMax else {
      throw .deltaUser(
        "DELTA_SCHEMA_INVALID", "the schema has \(fields.count) columns; at most \(Self.fieldCountMax) are read",
        "schema", remedy: "split the table")
    }
    self.fields = fields
  }

  package func field(_ name: String) -> DeltaField? { fields.first { $0.name == name } }

  package func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }

  /// How rows lie in a batch.
  ///
  /// - Throws: DELTA_UNSUPPORTED naming the first column that cannot.
  package func columnTypes(_ place: String) throws(HeadraceError) -> [ColumnType] {
    var types: [ColumnType] = []
    for field in fields {
      guard let type = field.type.columnType else {
        throw .unsupportedTable("column \"\(field.name)\" is of type \(field.type.name), which is not written", place)
      }
      types.append(type)
    }
    return types
  }

  /// This schema with columns added at its end, all nullable: rows that are there already have null in them.
  ///
  /// - Returns: nil when there is nothing to add.
  /// - Throws: DELTA_SCHEMA_CHANGE when a column that is there has another type in `wanted`, or is missing and
  ///   required.
  package func adding(_ wanted: [DeltaField], _ place: String) throws(HeadraceError) -> DeltaSchema? {
    var added: [DeltaField] = []
    for field in wanted {
      if let present = self.field(field.name) {
        guard present.type == field.type else {
          throw .deltaUser(
            "DELTA_SCHEMA_CHANGE", "column \"\(field.name)\" is \(present.type.name), not \(field.type.name)", place,
            remedy: "types do not change: add a column under another name")
        }
        continue
      }
      guard field.isNullable else {
        throw .deltaUser(
          "DELTA_SCHEMA_CHANGE", "column \"\(field.name)\" is new and may not be null", place,
          remedy: "rows that are there have no value for it: make it nullable")
      }
      added.append(field)
    }
    return added.isEmpty ? nil : try DeltaSchema(fields + added)
  }
}
