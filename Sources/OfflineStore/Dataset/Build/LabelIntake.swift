internal import Columns
internal import Core

/// Labels as they are read: their rows in order, and for each view who asks for which time.
struct LabelIntake {
  let columns: LabelColumns
  /// All columns of the labels; a partition has `chunkRows` of them.
  let rows: SpillTable
  /// By view: `PointInTimeRows.labelTypes`, spread by entity.
  let views: [View]
  private(set) var rowCount = 0
  private(set) var lastMilliseconds = Int64.min
  /// Of each row, for a split.
  private(set) var timesMilliseconds: [Int64] = []
  private(set) var entityHashes: [UInt64] = []
  /// Whether labels name records of some view's topic.
  private(set) var namesRecords = false

  /// Rows that are read, computed and written at once.
  static let chunkRows = DatasetHash.blockRows

  final class View {
    let keyColumns: [Int]
    let topic: [UInt8]
    let rows: SpillTable
    var wanted: EntityFilter
    var isBoundByTime = true
    var batch: ColumnBatch
    var partitions: [Int] = []

    init(
      _ view: DatasetSpecification.View, _ columns: LabelColumns, partitionCount: Int, budget: SpillBudget,
      filterBytesMax: Int
    ) throws(HeadraceError) {
      var keys: [Int] = []
      for (name, type) in zip(view.joinKeys, view.joinTypes) {
        keys.append(try columns.column(name, type, neededFor: "view \(view.view.name)"))
      }
      keyColumns = keys
      topic = Array(view.topic.utf8)
      let types = PointInTimeRows.labelTypes(view.view)
      rows = SpillTable(types, partitionCount: partitionCount, budget: budget)
      batch = ColumnBatch(types)
      wanted = EntityFilter(bytesMax: filterBytesMax)
    }
  }

  private let partitionCount: Int
  private let split: DatasetSplit
  private let splitKeys: [Int]
  private var key = EntityKeyBytes()

  init(
    _ specification: DatasetSpecification, _ columns: LabelColumns, configuration: DatasetBuilder.Configuration,
    partitionCount: Int, budget: SpillBudget
  ) throws(HeadraceError) {
    self.columns = columns
    self.partitionCount = partitionCount
    split = configuration.split
    let names = Set(specification.views.flatMap(\.joinKeys)).sorted()
    splitKeys = names.compactMap { columns.names.firstIndex(of: $0) }
    rows = SpillTable(columns.types, partitionCount: 0, budget: budget)
    var views: [View] = []
    for view in specification.views {
      views.append(
        try View(
          view, columns, partitionCount: partitionCount, budget: budget,
          filterBytesMax: configuration.memoryBytes / 4 / max(specification.views.count, 1)))
    }
    self.views = views
  }

  /// Takes all labels of a source whose time is in the range.
  mutating func read(_ source: any LabelSource, times range: Range<Int64>) throws(HeadraceError) {
    var firstRow = 0
    try source.forEachBatch { (rows) throws(HeadraceError) in
      var batch = copy rows
      var times = try columns.timesMilliseconds(batch, firstRow: firstRow)
      firstRow += batch.rowCount
      if times.contains(where: { !range.contains($0) }) {
        let all = times
        batch.keep { row, _ in range.contains(all[row]) }
        times = all.filter { range.contains($0) }
      }
      guard batch.rowCount > 0 else { return }
      try take(batch, times)
    }
  }

  private mutating func take(_ batch: borrowing ColumnBatch, _ times: [Int64]) throws(HeadraceError) {
    lastMilliseconds = max(lastMilliseconds, times.max() ?? .min)
    if case .time = split { timesMilliseconds += times }
    if case .entity = split {
      for row in 0..<batch.rowCount {
        // A row without a key belongs anywhere; all of them together.
        entityHashes.append(key.encode(batch.columns, splitKeys, row) ?? 0)
      }
    }
    for view in views { try take(batch, times, view) }
    try rows.append(batch, partitions: times.indices.map { (rowCount + $0) / Self.chunkRows })
    rowCount += batch.rowCount
  }

  private mutating func take(
    _ batch: borrowing ColumnBatch, _ times: [Int64], _ view: View
  ) throws(HeadraceError) {
    view.batch.removeAll()
    view.partitions.removeAll(keepingCapacity: true)
    for row in times.indices {
      let hash = key.encode(batch.columns, view.keyColumns, row)
      view.partitions.append(hash.map { PointInTimeRows.partition($0, of: partitionCount) } ?? -1)
      view.batch.columns[0].append(Int64(rowCount + row))
      view.batch.columns[1].append(times[row])
      if let position = columns.position, names(batch, row, position, view.topic) {
        view.batch.columns[2].append(row, of: batch.columns[position.partition])
        view.batch.columns[3].append(row, of: batch.columns[position.offset])
        view.isBoundByTime = false
        namesRecords = true
      } else {
        view.batch.columns[2].appendNull()
        view.batch.columns[3].appendNull()
      }
      for (index, column) in view.keyColumns.enumerated() {
        view.batch.columns[PointInTimeRows.labelColumns + index].append(row, of: batch.columns[column])
      }
      if let hash { view.wanted.insert(hash, timeMilliseconds: times[row]) }
    }
    view.batch.rowCount = times.count
    try view.rows.append(view.batch, partitions: view.partitions)
  }

  /// Whether the row names a record of a topic.
  private func names(
    _ batch: borrowing ColumnBatch, _ row: Int, _ position: LabelColumns.Position, _ topic: [UInt8]
  ) -> Bool {
    guard batch.columns[position.topic].isValid[row], batch.columns[position.partition].isValid[row],
      batch.columns[position.offset].isValid[row]
    else { return false }
    let range = batch.columns[position.topic].text.range(row)
    return batch.columns[position.topic].text.bytes[range].elementsEqual(topic)
  }
}
