internal import Columns
internal import Core
internal import Parquet

/// The columns of a classic checkpoint (PROTOCOL.md, "Checkpoint Schema"): a group for each kind of action, of which
/// one is set in each row.
enum CheckpointSchema {
  static func parquet() throws(HeadraceError) -> ParquetSchema {
    try ParquetSchema([
      .structure(
        "txn", isNullable: true, [text("appId"), integer("version"), .column("lastUpdated", .integer)]),
      .structure(
        "add", isNullable: true,
        [
          text("path"), map("partitionValues"), integer("size"), integer("modificationTime"), boolean("dataChange"),
          .column("stats", .string), map("tags"),
        ]),
      .structure(
        "remove", isNullable: true,
        [
          text("path"), .column("deletionTimestamp", .integer), boolean("dataChange"),
          .column("extendedFileMetadata", .boolean), map("partitionValues"), .column("size", .integer),
        ]),
      .structure(
        "metaData", isNullable: true,
        [
          text("id"), .column("name", .string), .column("description", .string),
          .structure("format", isNullable: true, [.column("provider", .string), map("options")]),
          text("schemaString"), list("partitionColumns"), .column("createdTime", .integer), map("configuration"),
        ]),
      .structure(
        "protocol", isNullable: true,
        [
          .integer32("minReaderVersion", isNullable: true), .integer32("minWriterVersion", isNullable: true),
          list("readerFeatures"), list("writerFeatures"),
        ]),
    ])
  }

  /// Fields are optional, as other writers have them, the required ones too.
  private static func text(_ name: String) -> ParquetField { .column(name, .string) }
  private static func integer(_ name: String) -> ParquetField { .column(name, .integer) }
  private static func boolean(_ name: String) -> ParquetField { .column(name, .boolean) }

  private static func map(_ name: String) -> ParquetField {
    .map(name, isNullable: true, key: .column("key", .string, isNullable: false), value: .column("value", .string))
  }

  private static func list(_ name: String) -> ParquetField {
    .list(name, isNullable: true, element: .column("element", .string))
  }
}

/// Actions as rows of that schema.
enum CheckpointRow {
  private static let kinds = 5

  static func value(_ action: LogAction) -> ParquetValue? {
    switch action {
    case .transaction(let action):
      row(
        0,
        [text(action.applicationID), integer(action.version), action.updatedMilliseconds.map(integer) ?? .null])
    case .add(let file):
      row(
        1,
        [
          text(file.path.written), map(file.partitionValues), integer(file.sizeBytes),
          integer(file.modifiedMilliseconds), .scalar(.boolean(false)), file.statistics.map(text) ?? .null,
          file.tags.map(map) ?? .null,
        ])
    case .remove(let file):
      row(
        2,
        [
          text(file.path.written), file.removedMilliseconds.map(integer) ?? .null, .scalar(.boolean(false)),
          .scalar(.boolean(file.partitionValues != nil && file.sizeBytes != nil)),
          file.partitionValues.map(map) ?? .null, file.sizeBytes.map(integer) ?? .null,
        ])
    case .metadata(let metadata):
      row(
        3,
        [
          text(metadata.id), metadata.name.map(text) ?? .null, metadata.description.map(text) ?? .null,
          .structure([text("parquet"), map([:])]), text(metadata.schema.json), list(metadata.partitionColumns),
          metadata.createdMilliseconds.map(integer) ?? .null, map(metadata.configuration.mapValues { $0 }),
        ])
    case .tableProtocol(let version):
      row(
        4,
        [
          integer(version.readerVersion), integer(version.writerVersion), version.readerFeatures.map(list) ?? .null,
          version.writerFeatures.map(list) ?? .null,
        ])
    case .commitInfo: nil
    }
  }

  private static func row(_ kind: Int, _ fields: [ParquetValue]) -> ParquetValue {
    .structure((0..<kinds).map { $0 == kind ? .structure(fields) : .null })
  }

  private static func text(_ text: String) -> ParquetValue { .scalar(.string(text)) }
  private static func integer(_ number: Int64) -> ParquetValue { .scalar(.integer(number)) }
  private static func list(_ texts: [String]) -> ParquetValue { .list(texts.map(text)) }

  private static func map(_ values: [String: String?]) -> ParquetValue {
    .map(
      values.sorted { $0.key < $1.key }.map { name, value in
        ParquetEntry(text(name), value.map(text) ?? .null)
      })
  }
}
