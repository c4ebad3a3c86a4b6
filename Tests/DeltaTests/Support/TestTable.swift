import Columns
import Core
import Storage

@testable import Delta

/// Tables of tests: their files are names only, unless a test writes rows.
enum TestTable {
  static let root = "tables/t"

  static func schema() throws -> DeltaSchema {
    try DeltaSchema([DeltaField("id", .long), DeltaField("name", .string), DeltaField("day", .date)])
  }

  static func create(
    _ store: any BlobStore, partitionColumns: [String] = [], configuration: [String: String] = [:]
  ) throws -> DeltaTable {
    try DeltaTable.create(
      store, BlobName(root), schema: schema(), partitionColumns: partitionColumns, configuration: configuration,
      nowMilliseconds: 1_000)
  }

  static func open(_ store: any BlobStore, at moment: DeltaTable.Moment = .newest) throws -> DeltaTable? {
    try DeltaTable.open(store, BlobName(root), at: moment)
  }

  /// A file that exists in the log only.
  static func file(_ name: String, tags: [String: String?]? = nil, statistics: String? = nil) throws -> DataFile {
    DataFile(
      path: DataFilePath(name: try BlobName(name)), sizeBytes: 10, modifiedMilliseconds: 1, statistics: statistics,
      tags: tags)
  }

  static func put(_ store: any BlobStore, version: Int64, _ lines: String...) throws {
    let name = try BlobName("\(root)/_delta_log/\(LogName.commit(version).text)")
    _ = try store.putIfAbsent(name, Array(lines.joined(separator: "\n").utf8))
  }

  static let protocolLine = #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#
  static let metadataLine =
    #"{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"#
    + #""schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\","#
    + #"\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","#
    + #""partitionColumns":[],"configuration":{}}}"#
}
