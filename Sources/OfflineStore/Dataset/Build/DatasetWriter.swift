internal import Columns
internal import Core
internal import Parquet
internal import Storage

/// Writes a dataset: the labels' columns, then the features, row by row in the order of the labels. Files are written
/// by several threads; each has the same number of rows of its part, so that they do not depend on who wrote them.
struct DatasetWriter: Sendable {
  private let rows: SpillTable
  private let labelNames: [String]
  private let rowCount: Int
  private let results: [SpillTable]
  private let vector: ServiceVector
  private let target: DatasetTarget
  private let configuration: DatasetBuilder.Configuration
  private let names: [String]
  private let types: [ColumnType]
  private let labelColumnCount: Int
  /// Of each row; empty: all are in the first one.
  private let parts: [UInt8]

  static let fileRows = 8 * DatasetHash.blockRows

  init(
    intake: LabelIntake, results: [SpillTable], vector: ServiceVector, features: [String], target: DatasetTarget,
    configuration: DatasetBuilder.Configuration
  ) {
    rows = intake.rows
    rowCount = intake.rowCount
    labelNames = vector.keptColumns.map { intake.columns.names[$0] }
    self.results = results
    self.vector = vector
    self.target = target
    self.configuration = configuration
    names = labelNames + features
    types = vector.keptColumns.map { intake.columns.types[$0] } + vector.types
    labelColumnCount = vector.keptColumns.count
    parts = configuration.split.assign(
      timesMilliseconds: intake.timesMilliseconds, entityHashes: intake.entityHashes)
  }

  /// A file to be written, and what came of it.
  private struct Piece: Sendable {
    var part: Int
    var number: Int
    /// The first row of the labels that may be in it.
    var firstRow: Int
    var rowCount: Int
  }

  private struct Written: Sendable {
    var file: DatasetManifest.File
    var blocks: [[UInt8]]
    var nullCounts: [Int]
  }

  func write(into manifest: inout DatasetManifest) throws(HeadraceError) {
    let pieces = pieces()
    let written = Slots<Written>(pieces.count)
    try ParallelWork.run(pieces.count, threadCount: configuration.threadCount) { (index) throws(HeadraceError) in
      written.set(index, try self.write(pieces[index]))
      DatasetKillPoint.pass(.betweenFiles)
    }
    let files = written.all
    var hash = DatasetHash(names: names, types: types)
    for part in configuration.split.parts {
      let own = files.filter { $0.file.part == part }
      hash.add(rowCount: own.reduce(0) { $0 + $1.file.rowCount }, blocks: own.flatMap(\.blocks))
    }
    manifest.contentHash = hash.finish()
    manifest.files = files.map(\.file)
    for column in names.indices {
      manifest.fields.append(
        .init(
          name: names[column], type: "\(types[column])", nullCount: files.reduce(0) { $0 + $1.nullCounts[column] },
          feature: column < labelColumnCount ? nil : names[column]))
    }
    DatasetKillPoint.pass(.beforeManifest)
    try target.publish(manifest)
    DatasetKillPoint.pass(.afterManifest)
  }

  /// The files of all parts; a part without rows has one all the same.
  private func pieces() -> [Piece] {
    var pieces: [Piece] = []
    for part in configuration.split.parts.indices {
      var piece = Piece(part: part, number: 0, firstRow: 0, rowCount: 0)
      for row in 0..<rowCount where parts.isEmpty || Int(parts[row]) == part {
        if piece.rowCount == Self.fileRows {
          pieces.append(piece)
          piece = Piece(part: part, number: piece.number + 1, firstRow: row, rowCount: 0)
        }
        piece.rowCount += 1
      }
      pieces.append(piece)
    }
    return pieces
  }

  private func write(_ piece: Piece) throws(HeadraceError) -> Written {
    let part = configuration.split.parts[piece.part]
    let file = DatasetTarget.file(part, piece.number)
    var settings = ParquetWriterConfiguration()
    settings.rowGroupBytes = min(settings.rowGroupBytes, max(configuration.memoryBytes / 16, 1 << 20))
    let schema = try ParquetSchema(zip(names, types).map { ParquetField.column($0, $1) })
    let parquet = try ParquetWriter(schema: schema, configuration: settings)
    let blob = try target.store.writer(try target.name(file))
    var hashes = BlockHashes(types)
    var nullCounts = [Int](repeating: 0, count: names.count)
    var (left, chunk) = (piece.rowCount, piece.firstRow / LabelIntake.chunkRows)
    while left > 0 {
      let batch = try self.batch(chunk, piece, left: left)
      chunk += 1
      left -= batch.rowCount
      for column in names.indices { nullCounts[column] += batch.columns[column].nullCount }
      hashes.add(batch)
      try parquet.append(batch)
      try blob.append(parquet.takeOutput())
    }
    hashes.finish()
    try parquet.finish()
    try blob.append(parquet.takeOutput())
    return Written(
      file: .init(name: file, part: part, rowCount: piece.rowCount, sizeBytes: try blob.finish()),
      blocks: hashes.blocks, nullCounts: nullCounts)
  }

  /// The rows of a chunk that belong to a file.
  private func batch(_ chunk: Int, _ piece: Piece, left: Int) throws(HeadraceError) -> ColumnBatch {
    let labels = try rows.read(chunk)
    let first = chunk * LabelIntake.chunkRows
    var views: [[Column]] = []
    for result in results {
      let found = try result.read(chunk)
      var places = [Int](repeating: -1, count: labels.rowCount)
      for (place, row) in found.columns[0].integers.enumerated() { places[Int(row) - first] = place }
      views.append(
        found.columns.dropFirst().map { column in
          var ordered = Column(column.type)
          ordered.append(rows: places, of: column)
          return ordered
        })
    }
    var columns = vector.keptColumns.map { labels.columns[$0] }
    columns += vector.columns(labels, views: views)
    guard !parts.isEmpty || first < piece.firstRow || labels.rowCount > left else {
      return ColumnBatch(columns: columns, rowCount: labels.rowCount)
    }
    let chosen = (0..<labels.rowCount).filter {
      first + $0 >= piece.firstRow && (parts.isEmpty || Int(parts[first + $0]) == piece.part)
    }.prefix(left)
    columns = columns.map { column in
      var rows = Column(column.type)
      rows.append(rows: Array(chosen), of: column)
      return rows
    }
    return ColumnBatch(columns: columns, rowCount: chosen.count)
  }
}
