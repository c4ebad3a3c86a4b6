internal import Columns
internal import Core
internal import Expressions
internal import Glibc
internal import OfflineStore
internal import Parquet

/// What a program gets to see: the rows that train and validate, with the features, the label and the time, and nothing
/// else. Rows that test, and the columns that a label is made of, stay with us.
struct TrainerData {
  let dataset: TrainingDataset
  let specification: TrainingSpecification

  static let timeName = "_event_time_ms"
  static let labelName = "_label"

  /// Writes `train.parquet`, `validation.parquet` and `manifest.json` into an empty folder.
  func write(into folder: String, _ watch: TrainingWatch) throws(HeadraceError) {
    var counts: [(part: TrainingPart, rows: Int)] = []
    for part in [TrainingPart.train, .validation] {
      counts.append((part, try write(part, to: "\(folder)/\(part.rawValue).parquet", watch)))
    }
    guard counts[0].rows > 0 else { throw dataset.nothingToTrainOn }
    let file = try DataFile("\(folder)/manifest.json")
    try file.append(manifest(counts))
  }

  private func write(_ part: TrainingPart, to path: String, _ watch: TrainingWatch) throws(HeadraceError) -> Int {
    let features = dataset.scope.filter { dataset.features.contains($0.name) }
    var fields = features.map { ParquetField.column($0.name, $0.type) }
    fields += [.column(Self.labelName, .double), .column(Self.timeName, .integer)]
    let writer = try ParquetWriter(schema: try ParquetSchema(fields))
    let file = try DataFile(path)
    var rowCount = 0
    try dataset.forEachRows(part, wantsFeatures: false, extras: features.map(\.name)) { (rows) throws(HeadraceError) in
      try watch.check()
      let isValid = [Bool](repeating: true, count: rows.count)
      var columns = rows.extras.columns
      columns.append(Column(doubles: rows.labels.map(Double.init), isValid: isValid))
      columns.append(Column(.integer, integers: rows.timesMilliseconds, isValid: isValid))
      try writer.append(ColumnBatch(columns: columns, rowCount: rows.count))
      try file.append(writer.takeOutput())
      rowCount += rows.count
    }
    try writer.finish()
    try file.append(writer.takeOutput())
    return rowCount
  }

  private func manifest(_ counts: [(part: TrainingPart, rows: Int)]) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("format_version", 1)
      json.member("dataset", dataset.entry.name)
      json.member("dataset_manifest_sha256", dataset.manifestHash)
      json.member("service", dataset.entry.manifest.service)
      json.member("objective", dataset.objective.rawValue)
      json.member("label", Self.labelName)
      json.member("label_expression", dataset.label)
      json.member("event_time", Self.timeName)
      json.member("seed", specification.seed)
      json.key("features")
      json.array { json in for name in dataset.features { json.string(name) } }
      json.key("parts")
      json.object { json in
        for (part, rows) in counts {
          json.key(part.rawValue)
          json.object { json in
            json.member("file", "\(part.rawValue).parquet")
            json.member("rows", rows)
          }
        }
      }
      json.key("budget")
      json.object { json in
        json.member("timeout_ms", specification.budget.timeoutMilliseconds)
        json.member("memory_bytes", specification.budget.memoryBytes)
        json.member("output_bytes", specification.budget.outputBytes)
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

/// A file that is written front to back.
final class DataFile {
  private let path: String
  private let descriptor: Int32

  init(_ path: String) throws(HeadraceError) {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .work("cannot be made", path) }
  }

  deinit { close(descriptor) }

  func append(_ bytes: [UInt8]) throws(HeadraceError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe write(descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .work("cannot be written", path) }
      written += count
    }
  }
}

@available(*, unavailable, message: "one thread writes it")
extension DataFile: Sendable {}
