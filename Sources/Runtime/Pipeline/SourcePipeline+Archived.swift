internal import Columns
internal import Core
internal import Topology

extension SourcePipeline {
  /// Applies events of the archive as `process` applies the records that they were: every decision is taken anew, with
  /// the same result, because what the archive leaves out decides nothing about the others. A record that broke the
  /// contract touches nothing; a duplicate touches the watermark, which the archive says of the next event.
  ///
  /// Nothing is written for them: their outputs and rows were written when they were read for the first time.
  ///
  /// - Parameters:
  ///   - archived: in the order of the log.
  ///   - rows: those that are applied.
  func process(_ archived: borrowing ArchivedRows, _ rows: Range<Int>) throws(HeadraceError) {
    guard !rows.isEmpty else { return }
    batch.removeAll()
    for (index, field) in source.columns.enumerated() {
      batch.columns[index].append(rows, of: archived.batch.columns[field])
    }
    batch.rowCount = rows.count
    decisions.faults.removeAll(keepingCapacity: true)
    decisions.readTimes(batch)
    evaluateScope()
    decisions.decide(archived, rows, filter: filter)
    try dropDuplicates(rows.count)
    encodeKeys()
    decisions.sortByLateness(layouts)
    decisions.settle(archived: rows.count)
    let first = rows.lowerBound
    try apply(count: rows.count, isEmitting: false) { archived.known(first + $0) }
  }
}
