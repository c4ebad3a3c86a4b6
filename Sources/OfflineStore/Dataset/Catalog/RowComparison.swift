internal import Columns
internal import Core

/// Rows of two datasets, brought together by their labels: those of the first are in memory, column by column.
struct RowComparison {
  private let labelNames: [String]
  private let featureNames: [String]
  /// The features of the first dataset.
  private var before: ColumnBatch
  /// Rows of it by the text of their label, the first one last.
  private var waiting: [String: [Int32]] = [:]
  private var waitingCount = 0
  private var commonRows = 0
  private var onlyAfter = 0
  private var counts: [Int]
  private var examples: [[DatasetDifference.Example]]

  /// - Throws: DATASET_LABELS when there is nothing to bring rows together by.
  init(_ before: DatasetCatalog.Entry, _ after: DatasetCatalog.Entry) throws(HeadraceError) {
    let types = Dictionary(
      after.manifest.fields.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    let common = before.manifest.fields.filter { types[$0.name] == $0.type }
    labelNames = common.filter { $0.feature == nil }.map(\.name)
    featureNames = common.filter { $0.feature != nil }.map(\.name)
    guard !labelNames.isEmpty else {
      throw HeadraceError(
        .user, "DATASET_LABELS", "the two datasets have no label column in common",
        place: "\(before.name) and \(after.name)", remedy: "compare datasets of the same labels")
    }
    self.before = ColumnBatch([])
    counts = featureNames.map { _ in 0 }
    examples = featureNames.map { _ in [] }
  }

  private static func positions(_ wanted: [String], _ names: [String]) -> [Int] {
    wanted.compactMap { names.firstIndex(of: $0) }
  }

  private func label(_ batch: ColumnBatch, _ positions: [Int], _ row: Int) -> String {
    zip(labelNames, positions).map { "\($0)=\(Self.text(batch.columns[$1].value(row)))" }.joined(separator: " ")
  }

  mutating func addBefore(_ batch: ColumnBatch, _ names: [String]) {
    let labels = Self.positions(labelNames, names)
    let features = Self.positions(featureNames, names)
    if before.columns.isEmpty { before = ColumnBatch(features.map { batch.columns[$0].type }) }
    for row in 0..<batch.rowCount {
      waiting[label(batch, labels, row), default: []].append(Int32(clamping: before.rowCount + row))
    }
    for (index, feature) in features.enumerated() {
      before.columns[index].append(0..<batch.rowCount, of: batch.columns[feature])
    }
    before.rowCount += batch.rowCount
    waitingCount += batch.rowCount
  }

  /// After all rows of the first dataset.
  mutating func turn() { for label in waiting.keys { waiting[label]?.reverse() } }

  mutating func addAfter(_ batch: ColumnBatch, _ names: [String]) {
    let labels = Self.positions(labelNames, names)
    let features = Self.positions(featureNames, names)
    for row in 0..<batch.rowCount {
      let key = label(batch, labels, row)
      guard let old = waiting[key]?.popLast().map({ Int($0) }) else {
        onlyAfter += 1
        continue
      }
      waitingCount -= 1
      commonRows += 1
      for (index, feature) in features.enumerated() {
        let (left, right) = (before.columns[index].value(old), batch.columns[feature].value(row))
        guard !Self.isSame(left, right) else { continue }
        counts[index] += 1
        guard examples[index].count < DatasetDifference.examplesMax else { continue }
        examples[index].append(.init(key: key, before: Self.text(left), after: Self.text(right)))
      }
    }
  }

  func finish(into difference: inout DatasetDifference) {
    difference.commonRows = commonRows
    difference.onlyAfter = onlyAfter
    difference.onlyBefore = waitingCount
    for (index, name) in featureNames.enumerated() where counts[index] > 0 {
      difference.columns.append(.init(name: name, rowCount: counts[index], examples: examples[index]))
    }
  }

  private static func isSame(_ left: Value, _ right: Value) -> Bool {
    if case .double(let left) = left, case .double(let right) = right {
      return left == right || (left.isNaN && right.isNaN)
    }
    return left == right
  }

  private static func text(_ value: Value) -> String {
    switch value {
    case .null: "null"
    case .boolean(let flag): "\(flag)"
    case .integer(let number), .date(let number): "\(number)"
    case .timestamp(let microseconds): "\(microseconds) \u{b5}s"
    case .double(let number): "\(number)"
    case .string(let text): text
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    case .decimal(let unscaled, let scale): "\(unscaled)e-\(scale)"
    case .list(let values): JSONListText.text(values)
    }
  }
}
