package import Core

/// What a table is: its columns, how it is partitioned, its properties.
package struct TableMetadata: Hashable, Sendable {
  package var id: String
  package var name: String?
  package var description: String?
  package var schema: DeltaSchema
  package var partitionColumns: [String]
  package var createdMilliseconds: Int64?
  package var configuration: [String: String]

  /// - Throws: DELTA_SCHEMA_INVALID when a partition column is no column, or of a type that no folder can be named by.
  package init(
    id: String, name: String? = nil, description: String? = nil, schema: DeltaSchema, partitionColumns: [String] = [],
    createdMilliseconds: Int64? = nil, configuration: [String: String] = [:], place: String = "metaData"
  ) throws(HeadraceError) {
    for column in partitionColumns {
      guard let field = schema.field(column), field.type.columnType != nil else {
        throw .deltaUser(
          "DELTA_SCHEMA_INVALID", "the partition column \"\(column)\" is no column of a plain type", place,
          remedy: "partition by columns of the schema")
      }
    }
    guard Set(partitionColumns).count == partitionColumns.count else {
      throw .deltaUser(
        "DELTA_SCHEMA_INVALID", "a partition column is there twice", place, remedy: "name each once")
    }
    self.id = id
    self.name = name
    self.description = description
    self.schema = schema
    self.partitionColumns = partitionColumns
    self.createdMilliseconds = createdMilliseconds
    self.configuration = configuration
  }

  /// The columns that are in the data files: all others.
  package var dataFields: [DeltaField] { schema.fields.filter { !partitionColumns.contains($0.name) } }

  package var isAppendOnly: Bool { configuration["delta.appendOnly"]?.lowercased() == "true" }
}

extension TableMetadata {
  /// Versions after which a checkpoint is due.
  package var checkpointInterval: Int64 {
    configuration["delta.checkpointInterval"].flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 100
  }

  /// How long entries of the log are kept once a checkpoint stands for them.
  package var logRetentionMilliseconds: Int64 { retention("delta.logRetentionDuration", default: 30 * 86_400_000) }

  /// How long files are kept that the table no longer has.
  package var deletedFileRetentionMilliseconds: Int64 {
    retention("delta.deletedFileRetentionDuration", default: 7 * 86_400_000)
  }

  /// Of how many columns statistics are kept.
  var statisticsColumnCount: Int {
    guard let count = configuration["delta.dataSkippingNumIndexedCols"].flatMap({ Int($0) }) else { return 32 }
    return count < 0 ? Int.max : count
  }

  private func retention(_ property: String, default milliseconds: Int64) -> Int64 {
    configuration[property].flatMap(IntervalText.milliseconds) ?? milliseconds
  }

  /// - Throws: DELTA_UNSUPPORTED for what the protocol's versions do not show.
  func requireReadable(_ place: String) throws(HeadraceError) {
    if let mode = configuration["delta.columnMapping.mode"], mode != "none" {
      throw .unsupportedTable("the table maps its columns (delta.columnMapping.mode = \(mode.prefix(60)))", place)
    }
  }

  /// - Throws: DELTA_UNSUPPORTED for columns and rules that this writer cannot keep.
  func requireWritable(_ place: String) throws(HeadraceError) {
    for field in schema.fields {
      guard !field.metadata.contains("\"delta.invariants\"") else {
        throw .unsupportedTable("column \"\(field.name)\" has an invariant (delta.invariants)", place)
      }
      guard !field.metadata.contains("\"delta.generationExpression\"") else {
        throw .unsupportedTable("column \"\(field.name)\" is generated (delta.generationExpression)", place)
      }
    }
    _ = try schema.columnTypes(place)
  }
}

/// `interval 30 days`, as Spark writes lengths of time into a table's properties.
enum IntervalText {
  /// - Returns: nil for what is none; of several units the sum.
  static func milliseconds(_ text: String) -> Int64? {
    var words = text.lowercased().split(separator: " ")
    if words.first == "interval" { words.removeFirst() }
    guard !words.isEmpty, words.count % 2 == 0 else { return nil }
    var sum: Int64 = 0
    for index in stride(from: 0, to: words.count, by: 2) {
      guard let count = Int64(words[index]), count >= 0, let unit = units[String(words[index + 1])] else { return nil }
      let (length, isTooLong) = count.multipliedReportingOverflow(by: unit)
      let (next, overflows) = sum.addingReportingOverflow(length)
      guard !isTooLong, !overflows else { return nil }
      sum = next
    }
    return sum
  }

  private static let units: [String: Int64] = {
    var units: [String: Int64] = [:]
    let lengths: [(String, Int64)] = [
      ("millisecond", 1), ("second", 1_000), ("minute", 60_000), ("hour", 3_600_000), ("day", 86_400_000),
      ("week", 604_800_000),
    ]
    for (name, length) in lengths { (units[name], units[name + "s"]) = (length, length) }
    return units
  }()
}
