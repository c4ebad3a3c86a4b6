internal import Columns

extension ViewLayout {
  /// Reads features of one entity at a time.
  ///
  /// - Parameters:
  ///   - row: nil when the store has none.
  ///   - time: epoch milliseconds. Windows expire by it alone.
  ///   - watermark: decides what is still retained; a feature whose window is not gets `.beforeHorizon`.
  ///   - features: positions in the definition; those behind its `features` are its `derived`.
  ///   - values: replaced by one value for each of them.
  package func read(
    _ row: borrowing FeatureRow, at time: Int64, watermark: Int64, features: [Int], into values: inout [FeatureValue]
  ) {
    values.removeAll(keepingCapacity: true)
    let status = status(row, at: time)
    let eventTime = row.newestEventTimeMilliseconds.map { min($0, time) }
    for index in features {
      guard status == .present else {
        let known = status == .notFound ? nil : eventTime
        values.append(FeatureValue(value: .null, status: status, eventTimeMilliseconds: known))
        continue
      }
      let value =
        index < self.features.count
        ? read(row, self.features[index], at: time, watermark: watermark, eventTime: eventTime)
        : readDerived(row, index - self.features.count, at: time, watermark: watermark, eventTime: eventTime)
      values.append(value)
    }
  }

  /// What is read of an entity that has no row.
  package func readMissing(features: [Int], into values: inout [FeatureValue]) {
    values.removeAll(keepingCapacity: true)
    for _ in features { values.append(.notFound) }
  }

  func read(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, at time: Int64, watermark: Int64, eventTime: Int64?
  ) -> FeatureValue {
    var flags = flags(row, feature, at: time, watermark: watermark)
    var value = Value.null
    if !flags.contains(.beforeHorizon) {
      value = self.value(row, feature, cells(row, feature, at: time), at: time, &flags)
    }
    let status: FeatureStatus = value == .null ? .nullValue : .present
    return FeatureValue(value: value, status: status, eventTimeMilliseconds: eventTime, flags: flags)
  }

  /// Whether there is a row at a time, by the age of the newest event alone.
  func status(_ row: borrowing FeatureRow, at time: Int64) -> FeatureStatus {
    guard let newest = row.newestEventTimeMilliseconds else { return .notFound }
    let age = time.subtractingSaturating(newest)
    if let retention, age > retention { return .notFound }
    if let limit = definition.ttlMilliseconds, age > limit { return .outsideMaxAge }
    return .present
  }
}
