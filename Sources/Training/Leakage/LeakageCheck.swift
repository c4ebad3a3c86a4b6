internal import Columns
internal import Core
internal import Expressions
internal import OfflineStore

/// Whether the rows that test are what a model will meet: later, of others, and without the answer among the features.
enum LeakageCheck {
  static func findings(
    _ dataset: TrainingDataset, _ entityColumns: [String]?
  ) throws(HeadraceError) -> [TrainingFinding] {
    let entities = try EntityColumns(dataset, entityColumns)
    var seen = SeenRows(dataset, entities)
    var sample = FeatureSample(dataset)
    for part in TrainingPart.allCases {
      try dataset.forEachRows(part, extras: entities.columns) { (rows) throws(HeadraceError) in
        seen.add(rows, part)
        sample.add(rows)
      }
      if part == .validation { seen.finishTraining() }
    }
    return seen.findings() + FeatureCheck.findings(dataset, sample)
  }
}

/// Columns that name the entity of a row.
struct EntityColumns {
  let columns: [String]
  /// Nobody said so: what is found is a warning, no error.
  let isGuess: Bool

  /// - Throws: `TRAINING_PARAMETER` for a column that is not there.
  init(_ dataset: TrainingDataset, _ given: [String]?) throws(HeadraceError) {
    isGuess = given == nil
    let known = dataset.scope.map(\.name)
    if let given {
      for name in given where !known.contains(name) {
        throw HeadraceError(
          .user, "TRAINING_PARAMETER", "there is no column `\(name)`", place: dataset.place,
          remedy: NearestName.of(name, in: known).map { "did you mean `\($0)`?" } ?? "there are \(known)")
      }
      columns = given
      return
    }
    let others = Set(dataset.features + dataset.labelExpression.names + [dataset.entry.manifest.labelTime])
    columns = dataset.scope.filter { field in
      field.type == .string && !others.contains(field.name) && !field.name.hasPrefix("_")
    }.map(\.name)
  }
}

/// Which entities and times train, as hashes: 16 bytes a row.
private struct SeenRows {
  private let dataset: TrainingDataset
  private let entities: EntityColumns
  private var trainRows: [UInt64] = []
  private var trainEntities: [UInt64] = []
  private var trainUntil = Int64.min
  private var testFrom = Int64.max
  private var testRows = 0
  private var earlyRows = 0
  private var sharedRows = 0
  private var sharedEntityRows = 0
  private var example: String?

  init(_ dataset: TrainingDataset, _ entities: EntityColumns) {
    self.dataset = dataset
    self.entities = entities
  }

  mutating func add(_ rows: TrainingRows, _ part: TrainingPart) {
    for row in 0..<rows.count {
      let time = rows.timesMilliseconds[row]
      let entity = entities.columns.isEmpty ? nil : Self.hash(rows.extras, row)
      let own = entity.map { $0 &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(bitPattern: time) }
      if part == .test {
        testRows += 1
        testFrom = min(testFrom, time)
        if time <= trainUntil { earlyRows += 1 }
        guard let entity, let own else { continue }
        if Self.contains(trainEntities, entity) { sharedEntityRows += 1 }
        if Self.contains(trainRows, own) {
          sharedRows += 1
          if example == nil { example = "\(Self.text(rows.extras, row)) at \(RFC3339.text(milliseconds: time))" }
        }
      } else {
        trainUntil = max(trainUntil, time)
        guard let entity, let own else { continue }
        trainEntities.append(entity)
        trainRows.append(own)
      }
    }
  }

  mutating func finishTraining() {
    trainEntities.sort()
    trainRows.sort()
  }

  func findings() -> [TrainingFinding] {
    var findings: [TrainingFinding] = []
    var isByEntity = false
    if case .entity = dataset.entry.manifest.split { isByEntity = true }
    if earlyRows > 0 {
      findings.append(
        .init(
          .timeOverlap, isByEntity ? .information : .error, subject: dataset.entry.manifest.labelTime,
          message: "\(earlyRows) of \(testRows) rows that test are not later than the last row that trains",
          evidence: [
            ("train_until", RFC3339.text(milliseconds: trainUntil)), ("test_from", RFC3339.text(milliseconds: testFrom)),
            ("rows", "\(earlyRows)"),
          ]))
    }
    let names = entities.columns.joined(separator: ", ")
    if sharedRows > 0 {
      findings.append(
        .init(
          .rowOverlap, entities.isGuess ? .warning : .error, subject: names,
          message: "\(sharedRows) of \(testRows) rows that test are of an entity and a time that train, too",
          evidence: [("rows", "\(sharedRows)"), ("example", example ?? "")]))
    }
    if isByEntity, sharedEntityRows > 0 {
      findings.append(
        .init(
          .entityOverlap, entities.isGuess ? .warning : .error, subject: names,
          message: "\(sharedEntityRows) of \(testRows) rows that test are of an entity that trains, too",
          evidence: [("rows", "\(sharedEntityRows)")]))
    }
    return findings
  }

  private static func contains(_ sorted: [UInt64], _ hash: UInt64) -> Bool {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < hash { low = middle + 1 } else { high = middle }
    }
    return low < sorted.count && sorted[low] == hash
  }

  private static func hash(_ batch: ColumnBatch, _ row: Int) -> UInt64 {
    var hash: UInt64 = 0
    for column in batch.columns {
      var bytes: [UInt8] = [column.isValid[row] ? 1 : 0]
      switch column.type.storage {
      case .text: bytes += column.text.bytes[column.text.range(row)]
      case .integers: bytes += Self.bytes(column.integers[row])
      case .doubles: bytes += Self.bytes(column.doubles[row].bitPattern)
      case .decimals: bytes += Self.bytes(column.decimals[row])
      }
      hash = unsafe Hash64.hash(bytes.span.bytes, seed: hash)
    }
    return hash
  }

  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  private static func text(_ batch: ColumnBatch, _ row: Int) -> String {
    batch.columns.map { column in
      switch column.value(row) {
      case .string(let text): String(TrainerLines.printable(Array(text.utf8)).prefix(60))
      case .integer(let number): "\(number)"
      default: "\(column.value(row))"
      }
    }.joined(separator: ", ")
  }
}
