internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Kafka
internal import OfflineStore
internal import Topology

/// The labels of one model, as rows of `labels/<model>`: a row for each record that is valid, passes its source's
/// filter, and says something.
final class LabelArchiveReader: ArchiveRowReader {
  let fields: [OfflineTable.Field]
  private let columns: SourceColumns
  private let label: LabelPlan
  private let filter: Expression?
  private var value: Column
  private var passes: Column

  init(_ source: SourcePlan, _ label: LabelPlan, schemas: any WriterSchemas) throws(HeadraceError) {
    columns = try SourceColumns(source, schemas: schemas)
    self.label = label
    filter = source.filter
    value = Column(label.value.type)
    passes = Column(.boolean)
    let match = source.scope[label.labelMatchColumn]
    fields = ModelArchive.labelFields(match: .init(match.name, match.type))
  }

  func read(
    _ records: borrowing ConsumedBatch, from offset: Int64, into batch: inout ColumnBatch
  ) throws(HeadraceError) {
    try columns.read(records)
    columns.evaluate(label.value, into: &value)
    if let filter { columns.evaluate(filter, into: &passes) }
    let faulty = Set(columns.faults.map(\.row))
    for row in records.indices where records[row].offset >= offset {
      guard !faulty.contains(row), value.isValid[row],
        filter == nil || passes.isValid[row] && passes.integers[row] != 0,
        let truth = number(row)
      else { continue }
      batch.columns[0].append(row, of: columns.batch.columns[label.labelMatchColumn])
      batch.columns[1].append(truth)
      batch.columns[2].append(columns.eventTimes[row].multipliedClamped(1_000))
      batch.finishRow(records[row], of: records.partition)
    }
  }

  private func number(_ row: Int) -> Double? {
    switch value.type.storage {
    case .integers: Double(value.integers[row])
    case .doubles: value.doubles[row]
    case .text, .decimals: nil
    }
  }
}
