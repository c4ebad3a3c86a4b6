package import Columns
internal import Features
internal import Expressions

/// Features of one view at the time of each label: what the online store would have said then.
///
/// For each entity its events and its labels are merged in the order of time: an event counts from when it has happened
/// and is known on (the later of both), and each label reads the row as it is then, by the same code as an online read.
/// Aggregates do not depend on the order of events, so the result depends on nothing but which events count.
///
/// Only events of entities that have labels are kept, up to the entity's last label. Entities can be taken in parts, so
/// that memory is bounded: a part sees the archive once.
package struct PointInTimeJoin {
  private let view: PointInTimeView
  private var entities = EntityTable()
  /// By label.
  private var entityOfLabel: [Int32] = []
  private var timesMilliseconds: [Int64] = []
  /// By entity.
  private var lastLabelMilliseconds: [Int64] = []
  /// Which entities are looked at now.
  private var part = 0
  private var partCount = 1

  // The events that were kept.
  private var scope: ColumnBatch
  private var inputs: [Column]
  private var filter: Column?
  private var keptInputs: [Column]
  private var kept: [Kept] = []
  private var scratch = ExpressionScratch()

  private struct Kept {
    var entity: Int32
    var stamp: EventStamp

    func precedes(_ other: Self) -> Bool {
      (entity, stamp.countsFrom, stamp.position.partition, stamp.position.offset)
        < (other.entity, other.stamp.countsFrom, other.stamp.position.partition, other.stamp.position.offset)
    }
  }

  package init(_ view: PointInTimeView) {
    self.view = view
    scope = ColumnBatch(view.scope)
    inputs = view.inputs.map { Column($0.type) }
    keptInputs = inputs
    filter = view.filter.map { Column($0.type) }
  }

  package var entityCount: Int { entities.count }
  package var labelCount: Int { timesMilliseconds.count }
  /// Events that were kept so far.
  package var eventCount: Int { kept.count }
  /// What an event takes, about.
  package var bytesPerEvent: Int {
    MemoryLayout<Kept>.stride
      + keptInputs.reduce(0) { $0 + 9 + ($1.type.storage == .text ? $1.text.bytes.count / max(kept.count, 1) : 0) }
  }
  /// Whether smaller parts would hold fewer events.
  package var canBeParted: Bool { partCount < entities.count }

  /// Adds labels, in their order.
  ///
  /// - Parameters:
  ///   - keyColumns: where the join keys are among `columns`, in the entity's order and of its types.
  ///   - timesMilliseconds: of each row.
  package mutating func addLabels(
    _ columns: borrowing [Column], keyColumns: [Int], timesMilliseconds times: borrowing [Int64]
  ) {
    for row in times.indices {
      let entity = entities.insert(columns, keyColumns, row: row)
      entityOfLabel.append(Int32(clamping: entity))
      timesMilliseconds.append(times[row])
      guard entity >= 0 else { continue }
      if entity == lastLabelMilliseconds.count { lastLabelMilliseconds.append(times[row]) }
      lastLabelMilliseconds[entity] = max(lastLabelMilliseconds[entity], times[row])
    }
  }

  /// Begins with a part of the entities; what was kept of another part goes.
  package mutating func begin(part: Int, of count: Int) {
    self.part = part
    partCount = count
    kept.removeAll(keepingCapacity: true)
    for index in keptInputs.indices { keptInputs[index].removeAll() }
  }

  /// Adds archived events.
  ///
  /// - Parameters:
  ///   - fields: the source's fields, as archived: `rowCount` rows each.
  ///   - stamps: nil of rows that do not count (filtered, late).
  package mutating func addEvents(_ fields: borrowing [Column], stamps: borrowing [EventStamp?]) {
    let rowCount = stamps.count
    for index in fields.indices { scope.columns[index] = copy(fields[index]) }
    scope.rowCount = rowCount
    for (index, expression) in view.derived.enumerated() {
      var column = Column(expression.type)
      expression.evaluate(scope, into: &column, scratch: &scratch)
      scope.columns[fields.count + index] = column
    }
    if let expression = view.filter, var column = filter.take() {
      expression.evaluate(scope, into: &column, scratch: &scratch)
      filter = column
    }
    for index in inputs.indices { view.inputs[index].evaluate(scope, into: &inputs[index], scratch: &scratch) }
    for row in 0..<rowCount {
      guard let stamp = stamps[row] else { continue }
      if let filter, !filter.isValid[row] || filter.integers[row] == 0 { continue }
      let entity = entities.find(scope.columns, view.keyColumns, row: row)
      guard entity >= 0, entity % partCount == part, stamp.countsFrom <= lastLabelMilliseconds[entity] else { continue }
      kept.append(Kept(entity: Int32(clamping: entity), stamp: stamp))
      for index in inputs.indices { keptInputs[index].append(row, of: inputs[index]) }
    }
  }

  private func copy(_ column: Column) -> Column { column }

  /// Reads the features of the part's labels.
  ///
  /// - Parameter columns: of `view.features`, one for each; values of other labels stay.
  package func read(into columns: inout [FeatureColumn]) {
    var events = EventBlock(view.layout)
    events.load(keptInputs, rowCount: kept.count)
    let eventOrder = kept.indices.sorted { kept[$0].precedes(kept[$1]) }
    let labelOrder = timesMilliseconds.indices.filter {
      entityOfLabel[$0] >= 0 && Int(entityOfLabel[$0]) % partCount == part
    }
    .sorted { (entityOfLabel[$0], timesMilliseconds[$0], $0) < (entityOfLabel[$1], timesMilliseconds[$1], $1) }
    let positions = view.features.map(\.position)
    var values: [FeatureValue] = []
    var next = 0
    var label = 0
    while label < labelOrder.count {
      let entity = entityOfLabel[labelOrder[label]]
      while next < eventOrder.count, kept[eventOrder[next]].entity < entity { next += 1 }
      var row = FeatureRow(view.layout)
      var hasEvents = false
      while label < labelOrder.count, entityOfLabel[labelOrder[label]] == entity {
        let time = timesMilliseconds[labelOrder[label]]
        while next < eventOrder.count, kept[eventOrder[next]].entity == entity,
          kept[eventOrder[next]].stamp.countsFrom <= time
        {
          let event = kept[eventOrder[next]].stamp
          // What no label from here on can see is dropped when room is needed.
          view.layout.apply(
            &row, events: events, index: eventOrder[next], eventTime: event.timeMilliseconds, position: event.position,
            watermark: event.countsFrom)
          hasEvents = true
          next += 1
        }
        if hasEvents {
          view.layout.read(row, at: time, watermark: time, features: positions, into: &values)
        } else {
          view.layout.readMissing(features: positions, into: &values)
        }
        for index in values.indices { columns[index].set(labelOrder[label], values[index].value) }
        label += 1
      }
    }
  }
}
