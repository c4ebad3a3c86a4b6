/// The end of a producer's transaction in one partition: a control batch with one record (KIP-98).
package struct TransactionMarker: Equatable, Sendable {
  package enum Kind: Int16, Sendable {
    case abort = 0
    case commit = 1
  }

  package var producerID: Int64
  package var producerEpoch: Int16
  package var kind: Kind
  package var coordinatorEpoch: Int32

  package init(producerID: Int64, producerEpoch: Int16, kind: Kind, coordinatorEpoch: Int32) {
    self.producerID = producerID
    self.producerEpoch = producerEpoch
    self.kind = kind
    self.coordinatorEpoch = coordinatorEpoch
  }

  /// Reads the marker out of a control batch; nil when it is another kind of control record or malformed.
  /// - Parameter records: what stands behind the header, never compressed.
  init?(_ header: RecordBatchHeader, records: RawSpan) {
    var cursor = RecordCursor(records)
    guard header.attributes.contains(.control), let record = try? cursor.next(),
      let key = record.key, key.count >= 4, let value = record.value, value.count >= 6,
      let kind = Kind(rawValue: records.bigEndian(at: key.lowerBound + 2))
    else { return nil }
    self.init(
      producerID: header.producerID, producerEpoch: header.producerEpoch, kind: kind,
      coordinatorEpoch: records.bigEndian(at: value.lowerBound + 2))
  }

  /// The control batch, with base offset 0.
  func batch(nowMilliseconds: Int64) -> [UInt8] {
    var builder = RecordBatchBuilder(baseTimestamp: nowMilliseconds)
    builder.header.attributes = [.transactional, .control]
    builder.header.producerID = producerID
    builder.header.producerEpoch = producerEpoch
    let type = UInt8(kind.rawValue)
    let epoch = UInt32(bitPattern: coordinatorEpoch)
    builder.append(
      key: [0, 0, 0, type],
      value: [0, 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: epoch >> $0) },
      timestamp: nowMilliseconds)
    return builder.finish()
  }
}
