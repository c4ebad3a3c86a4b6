internal import Columns
internal import Core
internal import Expressions
internal import OfflineStore

/// Some rows of one part, as numbers.
struct TrainingRows {
  /// Row by row, as many as there are features; a null is NaN.
  var features: [Float] = []
  var labels: [Float] = []
  var timesMilliseconds: [Int64] = []
  /// Columns that were asked for beside the features, rows without a label left out.
  var extras = ColumnBatch([])

  var count: Int { labels.count }
}

/// What was left out on the way.
struct RowCounts: Sendable, Equatable {
  var rows = 0
  /// Without a label.
  var unlabelled = 0
}

extension TrainingDataset {
  /// Hands over the rows of a part that have a label, batch by batch, in the dataset's order.
  ///
  /// - Parameters:
  ///   - wantsFeatures: false reads labels, times and extras only.
  ///   - extras: columns to hand over as they are.
  /// - Throws: `TRAINING_LABEL` for a label that the objective does not know; what reading throws.
  @discardableResult
  func forEachRows(
    _ part: TrainingPart, wantsFeatures: Bool = true, extras: [String] = [],
    _ body: (TrainingRows) throws(HeadraceError) -> Void
  ) throws(HeadraceError) -> RowCounts {
    let layout = try RowLayout(self, wantsFeatures: wantsFeatures, extras: extras)
    var counts = RowCounts()
    for filePart in fileParts(of: part) {
      try scan(filePart, columns: layout.columns) { (batch) throws(HeadraceError) in
        let rows = try layout.rows(batch, part, self, &counts)
        if rows.count > 0 { try body(rows) }
      }
    }
    return counts
  }

  /// What a label may be.
  func check(_ label: Float) throws(HeadraceError) {
    let isGood =
      switch objective {
      case .binary: label == 0 || label == 1
      case .multiclass: label >= 0 && label < Float(Self.classCountMax) && label == label.rounded()
      case .regression: label.isFinite
      }
    guard !isGood else { return }
    let expectation =
      switch objective {
      case .binary: "0 or 1, or a condition"
      case .multiclass: "0, 1, 2, … below \(Self.classCountMax)"
      case .regression: "a finite number"
      }
    throw HeadraceError(
      .user, "TRAINING_LABEL", "`\(self.label)` is \(label) in a row, and the objective \(objective.rawValue) needs \(expectation)",
      place: place, remedy: "write a condition such as \(self.label) > 15, or choose another objective")
  }

  static let classCountMax = 256
}

/// Which columns are read, and where each of them goes.
private struct RowLayout {
  var columns: [String]
  private let featurePositions: [Int]
  private let extraPositions: [Int]
  private let timePosition: Int
  private let label: Expression

  init(_ dataset: TrainingDataset, wantsFeatures: Bool, extras: [String]) throws(HeadraceError) {
    var columns: [String] = []
    func position(_ name: String) -> Int {
      if let known = columns.firstIndex(of: name) { return known }
      columns.append(name)
      return columns.count - 1
    }
    timePosition = position(dataset.entry.manifest.labelTime)
    featurePositions = wantsFeatures ? dataset.features.map(position) : []
    extraPositions = extras.map(position)
    for name in dataset.labelExpression.names { _ = position(name) }
    self.columns = columns
    label = try dataset.labelExpression.over(dataset.scope(of: columns))
  }

  func rows(
    _ batch: ColumnBatch, _ part: TrainingPart, _ dataset: TrainingDataset, _ counts: inout RowCounts
  ) throws(HeadraceError) -> TrainingRows {
    let times = try dataset.times(batch, column: timePosition)
    let labelColumn = label.evaluate(batch)
    var labels = [Float](repeating: .nan, count: batch.rowCount)
    labelColumn.write(to: &labels, first: 0, stride: 1, rowCount: batch.rowCount)
    var chosen: [Int] = []
    chosen.reserveCapacity(batch.rowCount)
    for row in 0..<batch.rowCount where dataset.contains(times[row], part) {
      counts.rows += 1
      guard labelColumn.isValid[row] else {
        counts.unlabelled += 1
        continue
      }
      try dataset.check(labels[row])
      chosen.append(row)
    }
    var rows = TrainingRows()
    rows.labels = chosen.map { labels[$0] }
    rows.timesMilliseconds = chosen.map { times[$0] }
    let isWhole = chosen.count == batch.rowCount
    let width = featurePositions.count
    rows.features = [Float](repeating: .nan, count: chosen.count * width)
    for (feature, position) in featurePositions.enumerated() {
      Self.taking(chosen, of: batch.columns[position], isWhole: isWhole)
        .write(to: &rows.features, first: feature, stride: width, rowCount: chosen.count)
    }
    rows.extras.columns = extraPositions.map { Self.taking(chosen, of: batch.columns[$0], isWhole: isWhole) }
    rows.extras.rowCount = chosen.count
    return rows
  }

  private static func taking(_ rows: [Int], of column: Column, isWhole: Bool) -> Column {
    guard !isWhole else { return column }
    var taken = Column(column.type)
    taken.append(rows: rows, of: column)
    return taken
  }
}

extension TrainingDataset {
  /// Names and types of some columns, in their order.
  func scope(of columns: [String]) -> [ExpressionField] {
    columns.compactMap { name in scope.first { $0.name == name } }
  }
}
