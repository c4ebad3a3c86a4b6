internal import Columns
internal import Core
internal import Parquet
internal import Storage

/// Replays checkpoints, of one file or of several parts.
struct CheckpointReader {
  let log: TableLog

  private static let groups = ["txn", "add", "remove", "metaData", "protocol"]
  private static let rowsPerRead = 4_096

  init(_ log: TableLog) { self.log = log }

  func replay(_ files: [BlobEntry]) throws(HeadraceError) -> LogReplay {
    var replay = LogReplay()
    for file in files {
      let place = "\(log.store.place)/\(file.name)"
      let source = try BlobParquetSource(store: log.store, name: file.name, sizeBytes: file.sizeBytes)
      let parquet = try ParquetFile(source, place: place)
      let present = parquet.schema.fields.filter { Self.groups.contains($0.name) }
      let reader = try ParquetRowReader(parquet, source: source, fields: present.map(\.name))
      var number = 0
      while true {
        let rows = try reader.next(maximumRows: Self.rowsPerRead)
        guard !rows.isEmpty else { break }
        var actions: [LogAction] = []
        for row in rows {
          number += 1
          if let action = try action(row, present, "\(place) row \(number)") { actions.append(action) }
        }
        try replay.apply(actions, place)
      }
    }
    return replay
  }

  private func action(
    _ row: ParquetValue, _ groups: [ParquetField], _ place: String
  ) throws(HeadraceError) -> LogAction? {
    guard case .structure(let values) = row, values.count == groups.count else {
      throw .corruptLog("a row of the checkpoint is no row of actions", place)
    }
    for (group, value) in zip(groups, values) {
      guard case .structure(let fields) = value, case .group(let children) = group.content else { continue }
      let named = CheckpointFields(group: group.name, fields: children, values: fields, place: place)
      return switch group.name {
      case "txn": .transaction(try named.transaction())
      case "add": .add(try named.dataFile())
      case "remove": .remove(try named.removedFile())
      case "metaData": .metadata(try named.metadata())
      default: .tableProtocol(try named.tableProtocol())
      }
    }
    return nil
  }
}

/// The fields of one action in a row, each checked as it is taken; what is missing counts as null.
private struct CheckpointFields {
  let group: String
  let fields: [ParquetField]
  let values: [ParquetValue]
  let place: String

  func transaction() throws(HeadraceError) -> ApplicationTransaction {
    ApplicationTransaction(
      applicationID: try text("appId"), version: try integer("version"),
      updatedMilliseconds: try optionalInteger("lastUpdated"))
  }

  func dataFile() throws(HeadraceError) -> DataFile {
    try refuseDeletionVector()
    return DataFile(
      path: try DataFilePath(written: try text("path"), place), partitionValues: try map("partitionValues") ?? [:],
      sizeBytes: try size(try integer("size")), modifiedMilliseconds: try integer("modificationTime"),
      isDataChange: try boolean("dataChange") ?? false, statistics: try optionalText("stats"), tags: try map("tags"))
  }

  func removedFile() throws(HeadraceError) -> RemovedFile {
    try refuseDeletionVector()
    var sizeBytes: Int64?
    if let written = try optionalInteger("size") { sizeBytes = try size(written) }
    return RemovedFile(
      path: try DataFilePath(written: try text("path"), place),
      removedMilliseconds: try optionalInteger("deletionTimestamp"), isDataChange: try boolean("dataChange") ?? false,
      partitionValues: try map("partitionValues"), sizeBytes: sizeBytes)
  }

  func metadata() throws(HeadraceError) -> TableMetadata {
    var configuration: [String: String] = [:]
    for (name, value) in try map("configuration") ?? [:] { configuration[name] = value }
    return try TableMetadata(
      id: try text("id"), name: try optionalText("name"), description: try optionalText("description"),
      schema: try DeltaSchema(json: try text("schemaString"), place: "\(place) schemaString"),
      partitionColumns: try texts("partitionColumns") ?? [], createdMilliseconds: try optionalInteger("createdTime"),
      configuration: configuration, place: place)
  }

  func tableProtocol() throws(HeadraceError) -> TableProtocol {
    TableProtocol(
      readerVersion: try integer("minReaderVersion"), writerVersion: try integer("minWriterVersion"),
      readerFeatures: try texts("readerFeatures"), writerFeatures: try texts("writerFeatures"))
  }

  private func refuseDeletionVector() throws(HeadraceError) {
    if case .null = value("deletionVector") { return }
    throw .unsupportedTable("a file has a deletion vector (feature deletionVectors)", place)
  }

  private func size(_ bytes: Int64) throws(HeadraceError) -> Int64 {
    guard bytes >= 0 else { throw .corruptLog("a file has the size \(bytes)", place) }
    return bytes
  }

  private func value(_ name: String) -> ParquetValue {
    guard let index = fields.firstIndex(where: { $0.name == name }), index < values.count else { return .null }
    return values[index]
  }

  private func wrong(_ name: String, _ expected: String) -> HeadraceError {
    .corruptLog("\(group).\(name) is not \(expected)", place)
  }

  private func text(_ name: String) throws(HeadraceError) -> String {
    guard let text = try optionalText(name) else { throw wrong(name, "a text") }
    return text
  }

  private func optionalText(_ name: String) throws(HeadraceError) -> String? {
    switch value(name) {
    case .null, .scalar(.null): return nil
    case .scalar(.string(let text)): return text
    default: throw wrong(name, "a text")
    }
  }

  private func integer(_ name: String) throws(HeadraceError) -> Int64 {
    guard let number = try optionalInteger(name) else { throw wrong(name, "an integer") }
    return number
  }

  private func optionalInteger(_ name: String) throws(HeadraceError) -> Int64? {
    switch value(name) {
    case .null, .scalar(.null): return nil
    case .scalar(.integer(let number)): return number
    default: throw wrong(name, "an integer")
    }
  }

  private func boolean(_ name: String) throws(HeadraceError) -> Bool? {
    switch value(name) {
    case .null, .scalar(.null): return nil
    case .scalar(.boolean(let flag)): return flag
    default: throw wrong(name, "true or false")
    }
  }

  private func texts(_ name: String) throws(HeadraceError) -> [String]? {
    switch value(name) {
    case .null: return nil
    case .list(let elements):
      var texts: [String] = []
      for element in elements {
        guard case .scalar(.string(let text)) = element else { throw wrong(name, "a list of texts") }
        texts.append(text)
      }
      return texts
    default: throw wrong(name, "a list of texts")
    }
  }

  private func map(_ name: String) throws(HeadraceError) -> [String: String?]? {
    switch value(name) {
    case .null: return nil
    case .map(let entries):
      var map: [String: String?] = [:]
      for entry in entries {
        switch (entry.key, entry.value) {
        case (.scalar(.string(let key)), .scalar(.string(let text))): map[key] = .some(text)
        case (.scalar(.string(let key)), .null), (.scalar(.string(let key)), .scalar(.null)): map[key] = .some(nil)
        default: throw wrong(name, "a map of texts")
        }
      }
      return map
    default: throw wrong(name, "a map of texts")
    }
  }
}
