internal import Columns
internal import Core
internal import Delta
internal import Inference

/// What one thread scores with: its memory is that of one batch, whatever the tables hold.
struct ScoringLane: ~Copyable {
  private let shape: ScoredColumns
  private let version: String
  private var scorer: Scorer
  private var matrix: [Float] = []
  private var scores: [Double] = []
  private(set) var rowCount = 0

  init(_ model: ScoringModel, _ shape: ScoredColumns) {
    self.shape = shape
    version = model.version
    scorer = model.compiled.makeScorer()
  }

  mutating func score(_ file: DataFile, of table: DeltaTable, to writer: TableWriter) throws(HeadraceError) {
    let scan = try TableScan(table, columns: shape.read, files: [file])
    var batch = ColumnBatch(scan.types)
    while try scan.next(into: &batch) {
      gather(batch)
      scores.resize(to: batch.rowCount * scorer.outputCount, with: 0)
      scorer.score(matrix, rowCount: batch.rowCount, into: &scores)
      try writer.append(predictions(batch), nowMilliseconds: WallClock.system.nowMilliseconds)
      rowCount += batch.rowCount
    }
  }

  /// Column by column into rows; nulls are missing values.
  private mutating func gather(_ batch: borrowing ColumnBatch) {
    let width = shape.features.count
    matrix.resize(to: batch.rowCount * width, with: .nan)
    for (position, index) in shape.features.enumerated() {
      batch.columns[index].write(to: &matrix, first: position, stride: width, rowCount: batch.rowCount)
    }
  }

  private func predictions(_ batch: borrowing ColumnBatch) -> ColumnBatch {
    let width = scorer.outputCount
    var columns = Array(batch.columns[..<shape.kept])
    let isValid = [Bool](repeating: true, count: batch.rowCount)
    for output in 0..<width {
      let values = (0..<batch.rowCount).map { scores[$0 * width + output] }
      columns.append(Column(doubles: values, isValid: isValid))
    }
    var versions = Column(.string)
    for _ in 0..<batch.rowCount { versions.append(version) }
    columns.append(versions)
    return ColumnBatch(columns: columns, rowCount: batch.rowCount)
  }
}

extension Array {
  fileprivate mutating func resize(to count: Int, with element: Element) {
    if self.count > count { removeLast(self.count - count) }
    if self.count < count { append(contentsOf: repeatElement(element, count: count - self.count)) }
  }
}
