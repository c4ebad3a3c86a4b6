internal import Columns
internal import Core
internal import Expressions
internal import Features

/// What is the same for all views of a source: which events of a batch count, and from when on.
struct EventTimes {
  private(set) var counts: [Bool] = []
  private(set) var timesMilliseconds: [Int64] = []
  /// It has happened, and is known.
  private(set) var countsFrom: [Int64] = []
  /// Of the partition, the event included.
  private(set) var watermarks: [Int64] = []

  private let isAsKnown: Bool
  /// Outcomes of events that count. Who came too late was never part of what was known.
  private let outcomes: [[UInt8]]

  init(isAsKnown: Bool) {
    self.isAsKnown = isAsKnown
    outcomes = (["applied", "repaired"] + (isAsKnown ? [] : ["late"])).map { Array($0.utf8) }
  }

  /// - Parameter first: the position of the first of `EventArchive.decisions`.
  mutating func read(_ batch: borrowing ColumnBatch, from first: Int) {
    counts.removeAll(keepingCapacity: true)
    timesMilliseconds.removeAll(keepingCapacity: true)
    countsFrom.removeAll(keepingCapacity: true)
    watermarks.removeAll(keepingCapacity: true)
    let outcome = first + EventArchive.outcomeDecision
    for row in 0..<batch.rowCount {
      let range = batch.columns[outcome].text.range(row)
      counts.append(outcomes.contains { $0.elementsEqual(batch.columns[outcome].text.bytes[range]) })
      let time = batch.columns[first].integers[row] / 1_000
      let hasKnown = batch.columns[first + 1].isValid[row]
      let known = hasKnown ? batch.columns[first + 1].integers[row] / 1_000 : time
      timesMilliseconds.append(time)
      let from = isAsKnown ? max(time, known) : time
      countsFrom.append(from)
      let hasWatermark = batch.columns[first + 2].isValid[row]
      let before = hasWatermark ? batch.columns[first + 2].integers[row] / 1_000 : .min
      watermarks.append(max(before, min(time, known)))
    }
  }
}

/// Takes from archived events what one view needs of them: keys, inputs, and when they count.
struct EventPicker {
  private let view: PointInTimeView
  private let fieldCount: Int
  private var scope: ColumnBatch
  private var inputs: [Column]
  private var filter: Column?
  private var scratch = ExpressionScratch()
  private var key = EntityKeyBytes()
  /// `PointInTimeRows.events` of the view; the rows that `partitions` leaves out included.
  private(set) var rows: ColumnBatch
  /// Of each row; negative: it does not count, or no label asks for it.
  private(set) var partitions: [Int] = []

  init(_ view: PointInTimeView, fieldCount: Int) {
    self.view = view
    self.fieldCount = fieldCount
    scope = ColumnBatch(view.scope)
    inputs = view.inputs.map { Column($0.type) }
    filter = view.filter.map { Column($0.type) }
    rows = ColumnBatch(PointInTimeRows.eventTypes(view))
  }

  /// - Parameter isBoundByTime: whether an event behind the last label's time cannot count.
  mutating func pick(
    _ batch: borrowing ColumnBatch, _ times: borrowing EventTimes, wanted: EntityFilter, isBoundByTime: Bool,
    partitionCount: Int
  ) {
    evaluate(batch)
    partitions.removeAll(keepingCapacity: true)
    for row in 0..<batch.rowCount {
      guard times.counts[row], passes(row), let hash = key.encode(scope.columns, view.keyColumns, row),
        wanted.passes(hash, countsFrom: isBoundByTime ? times.countsFrom[row] : .min)
      else {
        partitions.append(-1)
        continue
      }
      partitions.append(PointInTimeRows.partition(hash, of: partitionCount))
    }
    let flags = [Bool](repeating: true, count: batch.rowCount)
    let decisions = fieldCount + EventArchive.offsetDecision
    rows.columns[0] = Column(.integer, integers: times.countsFrom, isValid: flags)
    rows.columns[1] = Column(.integer, integers: times.timesMilliseconds, isValid: flags)
    rows.columns[2] = Column(.integer, integers: times.watermarks, isValid: flags)
    rows.columns[3] = batch.columns[decisions - 1]
    rows.columns[4] = batch.columns[decisions]
    var next = PointInTimeRows.eventColumns
    for column in view.keyColumns {
      rows.columns[next] = scope.columns[column]
      next += 1
    }
    for input in inputs {
      rows.columns[next] = input
      next += 1
    }
    rows.rowCount = batch.rowCount
  }

  private mutating func evaluate(_ batch: borrowing ColumnBatch) {
    for index in 0..<fieldCount { scope.columns[index] = batch.columns[index] }
    scope.rowCount = batch.rowCount
    for (index, expression) in view.derived.enumerated() {
      var column = Column(expression.type)
      expression.evaluate(scope, into: &column, scratch: &scratch)
      scope.columns[fieldCount + index] = column
    }
    if let expression = view.filter, var column = filter.take() {
      expression.evaluate(scope, into: &column, scratch: &scratch)
      filter = column
    }
    for index in inputs.indices { view.inputs[index].evaluate(scope, into: &inputs[index], scratch: &scratch) }
  }

  private func passes(_ row: Int) -> Bool {
    guard let filter else { return true }
    return filter.isValid[row] && filter.integers[row] != 0
  }
}
