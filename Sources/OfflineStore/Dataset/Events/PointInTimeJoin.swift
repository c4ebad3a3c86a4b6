package import Columns
internal import Core
internal import Features

/// Features of one view at the time of each label: what the online store would have said then.
///
/// For each entity its events and its labels are merged in the order of time: an event counts from when it has happened
/// and is known on (the later of both), and each label reads the row as it is then, by the same code as an online read.
/// A label that names a record reads the row as it was behind that record: of its partition, all events up to the
/// offset and no other, whatever their times; of other partitions, as any label.
///
/// Aggregates do not depend on the order of events, so the result depends on nothing but which events count.
package struct PointInTimeJoin: ~Copyable {
  private let view: PointInTimeView
  private let positions: [Int]
  private let events: [Event]
  private let labels: [Label]
  private var block: EventBlock
  private var row: FeatureRow
  private var values: [FeatureValue] = []

  private struct Event {
    var entity: Int32
    /// In the block.
    var index: Int32
    var countsFrom: Int64
    var timeMilliseconds: Int64
    var watermark: Int64
    var position: EventPosition

    func precedes(_ other: Self) -> Bool {
      if entity != other.entity { return entity < other.entity }
      if countsFrom != other.countsFrom { return countsFrom < other.countsFrom }
      return (position.partition, position.offset) < (other.position.partition, other.position.offset)
    }
  }

  private struct Label {
    var entity: Int32
    var row: Int64
    var timeMilliseconds: Int64
    /// Of the record that it names; -1: none.
    var partition: Int32
    var offset: Int64

    func precedes(_ other: Self) -> Bool {
      if entity != other.entity { return entity < other.entity }
      if partition != other.partition { return partition < other.partition }
      if offset != other.offset { return offset < other.offset }
      return (timeMilliseconds, row) < (other.timeMilliseconds, other.row)
    }
  }

  /// - Parameters:
  ///   - labels: `PointInTimeRows.labelTypes`.
  ///   - events: `PointInTimeRows.eventTypes`; those of entities without labels are passed over.
  package init(_ view: PointInTimeView, labels: borrowing ColumnBatch, events: borrowing ColumnBatch) {
    self.view = view
    positions = view.features.map(\.position)
    var entities = EntityTable()
    self.labels = Self.sorted(labels, keyCount: view.keyColumns.count, &entities)
    self.events = Self.sorted(events, keyCount: view.keyColumns.count, &entities)
    block = EventBlock(view.layout)
    let inputs = PointInTimeRows.eventColumns + view.keyColumns.count
    block.load(Array(events.columns[inputs...]), rowCount: events.rowCount)
    row = FeatureRow(view.layout)
  }

  private static func sorted(
    _ batch: borrowing ColumnBatch, keyCount: Int, _ entities: inout EntityTable
  ) -> [Label] {
    let keys = Array(PointInTimeRows.labelColumns..<PointInTimeRows.labelColumns + keyCount)
    var labels: [Label] = []
    labels.reserveCapacity(batch.rowCount)
    for row in 0..<batch.rowCount {
      let hasPosition = batch.columns[2].isValid[row] && batch.columns[3].isValid[row]
      labels.append(
        Label(
          entity: Int32(clamping: entities.insert(batch.columns, keys, row: row)),
          row: batch.columns[0].integers[row], timeMilliseconds: batch.columns[1].integers[row],
          partition: hasPosition ? Int32(clamping: batch.columns[2].integers[row]) : -1,
          offset: hasPosition ? batch.columns[3].integers[row] : 0))
    }
    labels.sort { $0.precedes($1) }
    return labels
  }

  private static func sorted(
    _ batch: borrowing ColumnBatch, keyCount: Int, _ entities: inout EntityTable
  ) -> [Event] {
    let keys = Array(PointInTimeRows.eventColumns..<PointInTimeRows.eventColumns + keyCount)
    var events: [Event] = []
    for row in 0..<batch.rowCount {
      let entity = entities.find(batch.columns, keys, row: row)
      guard entity >= 0 else { continue }
      events.append(
        Event(
          entity: Int32(clamping: entity), index: Int32(clamping: row), countsFrom: batch.columns[0].integers[row],
          timeMilliseconds: batch.columns[1].integers[row], watermark: batch.columns[2].integers[row],
          position: EventPosition(
            partition: Int32(clamping: batch.columns[3].integers[row]), offset: batch.columns[4].integers[row])))
    }
    events.sort { $0.precedes($1) }
    return events
  }

  /// The features of all labels, in no order.
  ///
  /// - Returns: `PointInTimeRows.resultTypes`. Labels whose key has a null in it are left out.
  package mutating func read() -> ColumnBatch {
    var results = ColumnBatch(PointInTimeRows.resultTypes(view))
    var label = labels.firstIndex { $0.entity >= 0 } ?? labels.count
    var event = 0
    while label < labels.count {
      let entity = labels[label].entity
      while event < events.count, events[event].entity < entity { event += 1 }
      var end = event
      while end < events.count, events[end].entity == entity { end += 1 }
      while label < labels.count, labels[label].entity == entity {
        let first = label
        while label < labels.count, labels[label].entity == entity, labels[label].partition == labels[first].partition {
          label += 1
        }
        if labels[first].partition < 0 {
          readByTime(first..<label, event..<end, into: &results)
        } else {
          readBehindRecords(first..<label, event..<end, into: &results)
        }
      }
      event = end
    }
    return results
  }

  /// Labels in the order of time.
  private mutating func readByTime(_ labels: Range<Int>, _ events: Range<Int>, into results: inout ColumnBatch) {
    row = FeatureRow(view.layout)
    var next = events.lowerBound
    for label in labels {
      let time = self.labels[label].timeMilliseconds
      while next < events.upperBound, self.events[next].countsFrom <= time {
        apply(self.events[next])
        next += 1
      }
      append(self.labels[label], hasEvents: next > events.lowerBound, to: &results)
    }
  }

  /// Labels that name records of one partition, in the order of offsets.
  private mutating func readBehindRecords(_ labels: Range<Int>, _ range: Range<Int>, into results: inout ColumnBatch) {
    let partition = self.labels[labels.lowerBound].partition
    let own = events[range].filter { $0.position.partition == partition }
      .sorted { $0.position.offset < $1.position.offset }
    let others = events[range].filter { $0.position.partition != partition }
    var (nextOwn, nextOther) = (0, 0)
    var time = Int64.min
    row = FeatureRow(view.layout)
    for label in labels.map({ self.labels[$0] }) {
      // Offsets only grow, times need not: what a label of a later time has taken in is put away.
      if label.timeMilliseconds < time, nextOther > 0 {
        row = FeatureRow(view.layout)
        (nextOwn, nextOther) = (0, 0)
      }
      time = label.timeMilliseconds
      while nextOwn < own.count, own[nextOwn].position.offset <= label.offset {
        // As the task did that read the record.
        let event = own[nextOwn]
        view.layout.apply(
          &row, events: block, index: Int(event.index), eventTime: event.timeMilliseconds, position: event.position,
          watermark: event.watermark)
        nextOwn += 1
      }
      while nextOther < others.count, others[nextOther].countsFrom <= time {
        apply(others[nextOther])
        nextOther += 1
      }
      append(label, hasEvents: nextOwn + nextOther > 0, to: &results)
    }
  }

  /// What no label from here on can see is dropped when room is needed: what is dead by the watermark as it was then,
  /// which may be ahead of the time where clocks disagree.
  private mutating func apply(_ event: Event) {
    view.layout.apply(
      &row, events: block, index: Int(event.index), eventTime: event.timeMilliseconds, position: event.position,
      watermark: min(event.watermark, event.countsFrom))
  }

  private mutating func append(_ label: Label, hasEvents: Bool, to results: inout ColumnBatch) {
    if hasEvents {
      let time = label.timeMilliseconds
      view.layout.read(row, at: time, watermark: time, features: positions, into: &values)
    } else {
      view.layout.readMissing(features: positions, into: &values)
    }
    results.columns[0].append(label.row)
    for index in values.indices { results.columns[index + 1].append(feature: values[index].value) }
    results.rowCount += 1
  }
}

extension Column {
  /// Appends a feature's value: a list as the text of a JSON array, null for what is not of the column's type.
  mutating func append(feature value: Value) {
    if case .list(let values) = value {
      append(JSONListText.text(values))
    } else if !append(value) {
      appendNull()
    }
  }
}
