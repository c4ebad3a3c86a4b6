package import Columns
internal import Core
internal import Features
internal import Parquet
internal import Storage

/// Writes a dataset: the labels' columns, then the features, row by row in the order of the labels.
struct DatasetWriter {
  private let labels: DatasetLabels
  /// Names of the labels' columns that hold keys.
  private let keys: [String]
  private let features: [FeatureColumn]
  private let target: any BlobStore
  private let folder: BlobName?
  private let names: [String]
  private let types: [ColumnType]

  private static let batchRows = 16_384

  /// - Throws: DATASET_EXISTS.
  init(
    labels: DatasetLabels, keys: [String], features: [FeatureColumn], target: any BlobStore, folder: BlobName?
  ) throws(HeadraceError) {
    self.labels = labels
    self.keys = keys
    self.features = features
    self.target = target
    self.folder = folder
    names = labels.names + features.map(\.name)
    // A list is kept as the text of a JSON array.
    types = labels.batch.columns.map(\.type) + features.map { $0.type.isList ? .string : $0.type.element }
    guard try target.entry(try Self.name("manifest.json", folder)) == nil else {
      throw HeadraceError(
        .user, "DATASET_EXISTS", "there is a dataset already", place: "\(target.place)/\(folder?.text ?? "")",
        remedy: "datasets do not change: give the new one another name or another folder")
    }
  }

  func write(split: DatasetSplit, into manifest: inout DatasetManifest) throws(HeadraceError) {
    var entityHashes: [UInt64] = []
    if case .entity = split { entityHashes = hashes() }
    let parts = split.assign(timesMilliseconds: labels.timesMilliseconds, entityHashes: entityHashes)
    // Without a manifest these are what a build that died left behind.
    try target.delete(try split.parts.map { (part) throws(HeadraceError) in try Self.name(Self.file(part), folder) })
    var hash = DatasetHash(names: names, types: types)
    for (index, part) in split.parts.enumerated() {
      let rows = parts.indices.filter { parts[$0] == index }
      manifest.files.append(try writeFile(part, rows, &hash))
    }
    manifest.contentHash = hash.finish()
    for column in names.indices {
      let nullCount = column < labels.names.count ? labels.batch.columns[column].nullCount : feature(column).nullCount
      manifest.fields.append(
        .init(
          name: names[column], type: "\(types[column])", nullCount: nullCount,
          feature: column < labels.names.count ? nil : names[column]))
    }
    guard try target.putIfAbsent(try Self.name("manifest.json", folder), manifest.json) else {
      throw HeadraceError(
        .user, "DATASET_EXISTS", "another process wrote a dataset there",
        place: "\(target.place)/\(folder?.text ?? "")",
        remedy: "give the new one another name or another folder")
    }
  }

  private func writeFile(
    _ part: String, _ rows: [Int], _ hash: inout DatasetHash
  ) throws(HeadraceError) -> DatasetManifest.File {
    let file = Self.file(part)
    let parquet = try ParquetWriter(
      schema: try ParquetSchema(zip(names, types).map { ParquetField.column($0, $1) }))
    let blob = try target.writer(try Self.name(file, folder))
    var next = 0
    while next < rows.count {
      let end = min(next + Self.batchRows, rows.count)
      var batch = ColumnBatch(types)
      for column in names.indices {
        for row in rows[next..<end] {
          guard batch.columns[column].append(value(row, column)) else {
            throw HeadraceError(.internal, "DATASET_TYPE", "a value is not \(types[column])", place: names[column])
          }
        }
      }
      batch.rowCount = end - next
      hash.add(batch)
      try parquet.append(batch)
      try blob.append(parquet.takeOutput())
      next = end
    }
    try parquet.finish()
    try blob.append(parquet.takeOutput())
    return .init(name: file, part: part, rowCount: rows.count, sizeBytes: try blob.finish())
  }

  private static func file(_ part: String) -> String { "\(part)-00000.parquet" }

  private func feature(_ column: Int) -> FeatureColumn { features[column - labels.names.count] }

  private func value(_ row: Int, _ column: Int) -> Value {
    if column < labels.names.count { return labels.batch.columns[column].value(row) }
    let value = feature(column).value(row)
    guard case .list(let values) = value else { return value }
    return .string(JSONListText.text(values))
  }

  /// A hash of each row's keys.
  private func hashes() -> [UInt64] {
    let columns = keys.compactMap { labels.names.firstIndex(of: $0) }
    return (0..<labels.batch.rowCount).map { row in
      let text = columns.map { "\(labels.batch.columns[$0].value(row))" }.joined(separator: "\u{0}")
      return Hash64.hash(unsafe Array(text.utf8).span.bytes)
    }
  }

  private static func name(_ file: String, _ folder: BlobName?) throws(HeadraceError) -> BlobName {
    if let folder { return try folder.appending(file) }
    return try BlobName(file)
  }
}

/// A list of values as a JSON array.
package enum JSONListText {
  package static func text(_ values: [Value]) -> String {
    var writer = JSONWriter()
    writer.array { writer in
      for value in values {
        switch value {
        case .null, .list: writer.null()
        case .boolean(let flag): writer.boolean(flag)
        case .integer(let number), .timestamp(let number), .date(let number): writer.number(number)
        case .double(let number): if number.isFinite { writer.raw("\(number)".utf8) } else { writer.null() }
        case .string(let text): writer.string(text)
        case .bytes(let bytes): writer.string(String(decoding: bytes, as: UTF8.self))
        case .decimal(let unscaled, let scale): writer.string("\(unscaled)e-\(scale)")
        }
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
