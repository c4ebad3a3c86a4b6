internal import Columns
internal import Core
internal import Delta
internal import Expressions
internal import Features

/// Makes rows of one view again, from the archive, as they were when they were read.
///
/// Events of the entities that were read are kept, as the archive says what was decided of them: nothing is decided
/// twice, and what becomes of them is done by the code that serves.
struct ViewReplay {
  let view: ParitySpecification.View
  private(set) var reads: [ServedVector.Read] = []
  private var entities = EntityTable()
  private var entityOfRead: [Int32] = []
  /// Which entities are looked at now.
  private var part = 0
  private var partCount = 1

  private var scope: ColumnBatch
  private var inputs: [Column]
  private var filter: Column?
  private var keptInputs: [Column]
  private var kept: [ReplayedEvent] = []
  private var scratch = ExpressionScratch()

  init(_ view: ParitySpecification.View) {
    self.view = view
    scope = ColumnBatch(view.point.scope)
    inputs = view.point.inputs.map { Column($0.type) }
    keptInputs = inputs
    filter = view.point.filter.map { Column($0.type) }
  }

  var canBeParted: Bool { partCount < entities.count }
  /// Memory of the events that are kept, about.
  var keptBytes: Int {
    kept.count * MemoryLayout<ReplayedEvent>.stride
      + keptInputs.reduce(0) { $0 + 9 * kept.count + ($1.type.storage == .text ? $1.text.bytes.count : 0) }
  }

  mutating func add(_ read: ServedVector.Read) {
    var columns: [Column] = []
    for (type, part) in zip(view.joinTypes, read.key) {
      var column = Column(type)
      if !column.append(part.value) { column.appendNull() }
      columns.append(column)
    }
    reads.append(read)
    entityOfRead.append(Int32(clamping: entities.insert(columns, Array(columns.indices), row: 0)))
  }

  mutating func begin(part: Int, of count: Int) {
    self.part = part
    partCount = count
    kept.removeAll(keepingCapacity: true)
    for index in keptInputs.indices { keptInputs[index].removeAll() }
  }

  /// - Parameter batch: the source's fields as archived, then `EventArchive.decisions`.
  mutating func add(_ batch: borrowing ColumnBatch) {
    let fieldCount = view.fields.count
    for index in 0..<fieldCount { scope.columns[index] = copy(batch.columns[index]) }
    scope.rowCount = batch.rowCount
    for (index, expression) in view.point.derived.enumerated() {
      var column = Column(expression.type)
      expression.evaluate(scope, into: &column, scratch: &scratch)
      scope.columns[fieldCount + index] = column
    }
    if let expression = view.point.filter, var column = filter.take() {
      expression.evaluate(scope, into: &column, scratch: &scratch)
      filter = column
    }
    for index in inputs.indices { view.point.inputs[index].evaluate(scope, into: &inputs[index], scratch: &scratch) }
    for row in 0..<batch.rowCount {
      if let filter, !filter.isValid[row] || filter.integers[row] == 0 { continue }
      let entity = entities.find(scope.columns, view.point.keyColumns, row: row)
      guard entity >= 0, entity % partCount == part,
        let event = ReplayedEvent(batch, row, from: fieldCount, entity: Int32(clamping: entity), view)
      else { continue }
      kept.append(event)
      for index in inputs.indices { keptInputs[index].append(row, of: inputs[index]) }
    }
  }

  private func copy(_ column: Column) -> Column { column }

  /// Everything that was kept.
  var events: ReplayedEvents { ReplayedEvents(kept, keptInputs, view.point.layout) }

  /// What the reads of this part were made of, by their positions in `reads`.
  func results() -> [(read: Int, result: ReplayedRead)] {
    let all = ReplayedEvents(kept, keptInputs, view.point.layout)
    var events: [Int32: [Int]] = [:]
    for index in kept.indices { events[kept[index].entity, default: []].append(index) }
    var reads: [Int32: [Int]] = [:]
    for index in entityOfRead.indices where entityOfRead[index] >= 0 && Int(entityOfRead[index]) % partCount == part {
      reads[entityOfRead[index], default: []].append(index)
    }
    var results: [(read: Int, result: ReplayedRead)] = []
    for (entity, positions) in reads.sorted(by: { $0.key < $1.key }) {
      let history = EntityHistory(view, all, events[entity] ?? [])
      results += zip(positions, history.results(positions.map { self.reads[$0] })).map { (read: $0, result: $1) }
    }
    return results
  }
}

/// An archived event, and what was decided of it.
struct ReplayedEvent: Sendable {
  var entity: Int32
  var timeMilliseconds: Int64
  var knownMilliseconds: Int64
  /// Of its partition, with the event itself.
  var watermark: Int64
  var position: EventPosition
  /// It came after every window that might have counted it, and no row has it.
  var isLate: Bool

  /// - Returns: nil of one that the view does not take.
  init?(
    _ batch: borrowing ColumnBatch, _ row: Int, from first: Int, entity: Int32, _ view: ParitySpecification.View
  ) {
    let outcome = batch.columns[first + EventArchive.outcomeDecision].text
    func isOutcome(_ name: StaticString) -> Bool {
      unsafe outcome.bytes[outcome.range(row)].elementsEqual(
        UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
    isLate = isOutcome("late")
    guard isLate || isOutcome("applied") || isOutcome("repaired") else { return nil }
    self.entity = entity
    timeMilliseconds = batch.columns[first].integers[row] / 1_000
    let known = batch.columns[first + 1]
    let before = batch.columns[first + 2]
    knownMilliseconds = known.isValid[row] ? known.integers[row] / 1_000 : timeMilliseconds
    // As the stream moves it: by no more than the record's own timestamp.
    watermark = max(
      before.isValid[row] ? before.integers[row] / 1_000 : .min, min(timeMilliseconds, knownMilliseconds))
    position = EventPosition(
      partition: Int32(truncatingIfNeeded: batch.columns[first + EventArchive.offsetDecision - 1].integers[row]),
      offset: batch.columns[first + EventArchive.offsetDecision].integers[row])
    // Repaired for another view of the source, and too late for this one.
    if isOutcome("repaired"), view.point.layout.ring(eventTime: timeMilliseconds, watermark: watermark) == .late {
      isLate = true
    }
  }

  /// When a training set counts it: it has happened, and is known.
  var countsFrom: Int64 { max(timeMilliseconds, knownMilliseconds) }
}
