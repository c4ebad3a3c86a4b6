import Columns
import Core
import Parquet
import Storage

@testable import OfflineStore
@testable import Training

/// A dataset in a folder, as `headrace dataset build` writes one, without what it would be made of.
struct SampleDataset {
  /// Columns of the labels, then features.
  var labels: [(name: String, column: Column)]
  var features: [(name: String, column: Column)]
  var split = DatasetSplit.time(0.75)
  var labelTime = "at"

  /// Writes the files and the manifest.
  func write(_ folder: String) throws -> (DatasetCatalog, DatasetCatalog.Entry) {
    let store = try DiskBlobStore(root: folder)
    let columns = labels + features
    let rowCount = columns[0].column.count
    let times = labels.first { $0.name == labelTime }?.column.integers ?? []
    let parts = split.assign(timesMilliseconds: times, entityHashes: times.map { UInt64(bitPattern: $0) &* 0x9e37_79b9_7f4a_7c15 })
    var files: [DatasetManifest.File] = []
    for (number, part) in split.parts.enumerated() {
      let rows = (0..<rowCount).filter { parts.isEmpty || Int(parts[$0]) == number }
      let chosen = columns.map { named in
        var column = Column(named.column.type)
        column.append(rows: rows, of: named.column)
        return column
      }
      let schema = try ParquetSchema(columns.map { ParquetField.column($0.name, $0.column.type) })
      let writer = try ParquetWriter(schema: schema)
      try writer.append(ColumnBatch(columns: chosen, rowCount: rows.count))
      try writer.finish()
      let bytes = writer.takeOutput()
      _ = try store.putIfAbsent(try BlobName("\(part)-00000.parquet"), bytes)
      files.append(.init(name: "\(part)-00000.parquet", part: part, rowCount: rows.count, sizeBytes: bytes.count))
    }
    let manifest = DatasetManifest(
      name: "sample", topology: "t", service: "s", serviceFingerprint: "f", views: [], events: [],
      labels: LabelOrigin(.file, "labels.parquet"), labelTime: labelTime, namesRecords: false, isAsKnown: true,
      fromMilliseconds: nil, toMilliseconds: nil, split: split, rowCount: rowCount,
      fields: labels.map { .init(name: $0.name, type: "\($0.column.type)", nullCount: 0, feature: nil) }
        + features.map { .init(name: $0.name, type: "\($0.column.type)", nullCount: 0, feature: $0.name) },
      files: files, contentHash: "")
    _ = try store.putIfAbsent(try BlobName("manifest.json"), manifest.json)
    let catalog = DatasetCatalog(store)
    return (catalog, try catalog.entry(nil))
  }

  /// A noisy two-class problem: three numbers, a flag, one number that is sometimes null.
  static func binary(rows: Int, seed: UInt64, split: DatasetSplit = .time(0.75)) -> SampleDataset {
    var random = SplitMix64(seed: seed)
    func uniform() -> Double { Double(random.next() >> 11) * 0x1p-53 }
    var (times, users, labels) = (Column(.integer), Column(.string), Column(.boolean))
    var (a, b, c, flag) = (Column(.double), Column(.integer), Column(.double), Column(.boolean))
    for row in 0..<rows {
      times.append(Int64(1_760_000_000_000 + row * 60_000))
      users.append("u\(Int(uniform() * 50))")
      let (x, y, z, f) = (uniform() * 2 - 1, Int64(uniform() * 10), uniform() * 100 + 1_000, uniform() < 0.3)
      a.append(x)
      b.append(y)
      if row % 7 == 0 { c.appendNull() } else { c.append(z) }
      flag.append(f)
      let margin = 2 * x + 0.3 * Double(y) - 0.03 * (z - 1_000) + (f ? 1 : 0)
      labels.append(uniform() < 1 / (1 + Double.exp(-margin)))
    }
    return SampleDataset(
      labels: [("at", times), ("user", users), ("won", labels)],
      features: [("a", a), ("b", b), ("c", c), ("flag", flag)], split: split)
  }

  func open(_ folder: String, _ specification: TrainingSpecification) throws -> TrainingDataset {
    let (catalog, entry) = try write(folder)
    return try TrainingDataset(catalog, entry, specification: specification)
  }
}

extension Double {
  /// A sum that is good enough for making up data.
  static func exp(_ x: Double) -> Double {
    var (sum, term) = (1.0, 1.0)
    let reduced = x / 64
    for index in 1..<20 {
      term *= reduced / Double(index)
      sum += term
    }
    return (0..<6).reduce(sum) { power, _ in power * power }
  }
}
