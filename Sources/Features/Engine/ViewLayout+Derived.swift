internal import Columns
internal import Expressions

extension ViewLayout {
  /// Evaluates a derived feature over the aggregates that it reads, all at the same time.
  func readDerived(
    _ row: borrowing FeatureRow, _ index: Int, at time: Int64, watermark: Int64, eventTime: Int64?
  ) -> FeatureValue {
    let expression = definition.derived[index].expression
    var batch = ColumnBatch(features.map(\.type.element))
    batch.rowCount = 1
    var flags: FeatureFlags = []
    for input in expression.inputs {
      let value = read(row, features[input], at: time, watermark: watermark, eventTime: eventTime)
      flags.formUnion(value.flags)
      if !batch.columns[input].append(value.value) { batch.columns[input].appendNull() }
    }
    let value = flags.contains(.beforeHorizon) ? .null : expression.evaluate(batch).value(0)
    let status: FeatureStatus = value == .null ? .nullValue : .present
    return FeatureValue(value: value, status: status, eventTimeMilliseconds: eventTime, flags: flags)
  }
}
