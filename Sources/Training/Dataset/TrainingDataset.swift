internal import Columns
package import Core
internal import Expressions
package import OfflineStore
internal import Storage

/// Which rows are for what. Trainers see the first two, and nobody but the evaluation the third.
package enum TrainingPart: String, Sendable, CaseIterable { case train, validation, test }

/// A dataset as trainers and evaluation see it: features in the service's order, a label, and which rows are for what.
///
/// The parts `train` and `test` are those of the dataset; the last rows of `train` by time are for validation. A
/// dataset that is not split is split here by time: the last fifth of it tests. Rows of one time stay together.
package struct TrainingDataset: Sendable {
  package let entry: DatasetCatalog.Entry
  package let objective: TrainingObjective
  /// In the service's order: the columns of the matrix.
  package let features: [String]
  /// SHA-256 of the manifest in small hexadecimal.
  package let manifestHash: String
  /// Of the folder, for people and records.
  package let place: String

  let catalog: DatasetCatalog
  let labelExpression: DatasetExpression
  let scope: [ExpressionField]
  /// From which time on rows are for validation, and for testing where the dataset has no part for it.
  private(set) var validationFrom = Int64.max
  private(set) var testFrom = Int64.max

  package var label: String { labelExpression.text }

  /// The share of a dataset without a split that tests.
  private static let testShare = 0.2

  /// - Parameters:
  ///   - entry: of `catalog`.
  ///   - specification: label, objective and share of validation are taken from it.
  /// - Throws: `TRAINING_LABEL`, `TRAINING_FEATURE` with all features that cannot be numbers, `TRAINING_DATA`.
  package init(
    _ catalog: DatasetCatalog, _ entry: DatasetCatalog.Entry, specification: TrainingSpecification
  ) throws(HeadraceError) {
    self.catalog = catalog
    self.entry = entry
    objective = specification.objective
    manifestHash = ContentHash.sha256(entry.json)
    place = entry.folder.map { "\(catalog.store.place)/\($0)" } ?? catalog.store.place
    scope = try Self.scope(entry.manifest, place)
    features = try Self.features(entry.manifest, scope, place)
    labelExpression = try DatasetExpression(specification.label, scope: scope, code: "TRAINING_LABEL", place: place)
    guard labelExpression.type.isNumeric || labelExpression.type == .boolean else {
      throw HeadraceError(
        .user, "TRAINING_LABEL", "`\(label)` is \(labelExpression.type), and a label is a number or a condition",
        place: place, remedy: "write a condition such as \(label) == 'yes'")
    }
    try findBorders(validationShare: specification.validationShare)
  }

  private static func scope(_ manifest: DatasetManifest, _ place: String) throws(HeadraceError) -> [ExpressionField] {
    var scope: [ExpressionField] = []
    for field in manifest.fields {
      guard let type = ColumnType(field.type) else {
        throw HeadraceError(
          .external, "MANIFEST_INVALID", "column \"\(field.name)\" has the type \"\(field.type.prefix(40))\"",
          place: place, remedy: "build the dataset again")
      }
      scope.append(ExpressionField(name: field.name, type: type))
    }
    return scope
  }

  private static func features(
    _ manifest: DatasetManifest, _ scope: [ExpressionField], _ place: String
  ) throws(HeadraceError) -> [String] {
    var names: [String] = []
    var problems: [String] = []
    for (field, column) in zip(manifest.fields, scope) where field.feature != nil {
      names.append(field.name)
      if column.type.storage == .text { problems.append("\(field.name) is \(column.type)") }
    }
    guard !names.isEmpty else {
      throw HeadraceError(.user, "TRAINING_FEATURE", "the dataset has no feature", place: place)
    }
    guard problems.isEmpty else {
      throw HeadraceError(
        .user, "TRAINING_FEATURE", "features that are no numbers: \(problems.prefix(20).joined(separator: ", "))",
        place: place,
        remedy: "leave them out of the service, or let an on-demand feature make a number of them: channel == 'web'")
    }
    return names
  }

  /// Reads the times once: 8 bytes a row.
  private mutating func findBorders(validationShare: Double) throws(HeadraceError) {
    guard (0..<1).contains(validationShare) else {
      throw HeadraceError(
        .user, "TRAINING_PARAMETER", "validation_share is \(validationShare)", remedy: "choose one from 0 to below 1")
    }
    var times: [Int64] = []
    let part = entry.manifest.split == .none ? "data" : "train"
    try scan(part, columns: [entry.manifest.labelTime]) { (batch) throws(HeadraceError) in
      times += try self.times(batch, column: 0)
    }
    times.sort()
    if entry.manifest.split == .none {
      testFrom = Self.border(times, share: Self.testShare)
      times.removeLast(times.count - (times.partitioningIndex { $0 >= testFrom }))
    }
    if validationShare > 0 { validationFrom = Self.border(times, share: validationShare) }
    guard !times.isEmpty else {
      throw HeadraceError(
        .user, "TRAINING_DATA", "there is no row to train on", place: place,
        remedy: "build the dataset from labels of a longer time, or with a larger share that trains")
    }
  }

  /// The time from which on the last share of the rows begins; nothing when that would be all rows.
  private static func border(_ sorted: [Int64], share: Double) -> Int64 {
    guard let first = sorted.first else { return .max }
    let border = sorted[min(Int(Double(sorted.count) * (1 - share)), sorted.count - 1)]
    return border > first ? border : .max
  }
}

extension TrainingDataset {
  /// Columns of one part of the manifest, batch by batch, held against the manifest's types.
  func scan(
    _ part: String, columns: [String], _ body: (ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let wanted = columns.map { name in scope.first { $0.name == name }?.type }
    try catalog.forEachBatch(of: entry, part: part, columns: columns) { (batch, _) throws(HeadraceError) in
      for (index, column) in batch.columns.enumerated() where column.type != wanted[index] {
        throw HeadraceError(
          .external, "MANIFEST_INVALID",
          "column \"\(columns[index])\" is \(column.type), the manifest says \(wanted[index], default: "nothing")",
          place: place, remedy: "the dataset was changed after it was written: build it again")
      }
      if batch.rowCount > 0 { try body(batch) }
    }
  }

  func times(_ batch: borrowing ColumnBatch, column: Int) throws(HeadraceError) -> [Int64] {
    var times: [Int64] = []
    times.reserveCapacity(batch.rowCount)
    for row in 0..<batch.rowCount {
      guard let milliseconds = LabelTime.milliseconds(batch.columns[column].value(row)) else {
        throw HeadraceError(
          .external, "TRAINING_DATA", "a row without a time in column \"\(entry.manifest.labelTime)\"", place: place,
          remedy: "the dataset was changed after it was written: build it again")
      }
      times.append(milliseconds)
    }
    return times
  }

  /// Parts of the manifest in which rows of `part` are.
  func fileParts(of part: TrainingPart) -> [String] {
    guard entry.manifest.split != .none else { return ["data"] }
    return part == .test ? ["test"] : ["train"]
  }

  /// Whether a row of those files belongs to `part`.
  func contains(_ time: Int64, _ part: TrainingPart) -> Bool {
    switch part {
    case .train: time < validationFrom && time < testFrom
    case .validation: time >= validationFrom && time < testFrom
    case .test: entry.manifest.split != .none || time >= testFrom
    }
  }
}

extension Array where Element == Int64 {
  /// Of a sorted array: the first position whose element fulfils the condition.
  func partitioningIndex(_ belongs: (Int64) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
