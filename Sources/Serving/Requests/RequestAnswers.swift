internal import Core
internal import Kafka
internal import NIOCore

/// The answers of one transaction: records by topic, and the offsets of the requests that they answer.
struct RequestAnswers {
  private var batches: [String: ProduceBatch] = [:]
  private(set) var offsets: [TopicPartition: CommittedOffset] = [:]
  private(set) var counts = RequestCounts()

  var outputs: [ProduceBatch] { Array(batches.values) }
  var isEmpty: Bool { offsets.isEmpty }

  /// Adds one answer.
  ///
  /// - Parameters:
  ///   - body: JSON, with binary tensors behind its first `jsonBytes` bytes if that is not nil.
  ///   - topic: where it goes.
  mutating func add(
    _ body: ByteBuffer, jsonBytes: Int?, outcome: RequestCounts.Outcome, to topic: String, _ headers: RequestHeaders,
    answering record: borrowing ConsumedRecord, of partition: TopicPartition
  ) throws(HeadraceError) {
    var batch = batches.removeValue(forKey: topic) ?? ProduceBatch(topic: topic)
    unsafe try batch.append(key: record.key, value: body.readableBytesUInt8Span.bytes)
    if let (name, value) = headers.correlation { unsafe try batch.appendHeader(name, value.span.bytes) }
    try batch.appendHeader(RequestHeaders.statusName, outcome == .answered ? "ok" : "error")
    try batch.appendHeader(
      RequestHeaders.sourceName, "\(partition.topic)/\(partition.partition)@\(record.offset)")
    try batch.appendHeader("content-type", jsonBytes == nil ? "application/json" : "application/octet-stream")
    if let jsonBytes { try batch.appendHeader(RequestHeaders.jsonBytesName, "\(jsonBytes)") }
    if let traceparent = headers.traceparent { unsafe try batch.appendHeader("traceparent", traceparent.span.bytes) }
    batches[topic] = batch
    offsets[partition] = CommittedOffset(offset: record.offset + 1)
    counts.add(outcome)
  }
}

/// How requests of a process ended.
package struct RequestCounts: Sendable, Equatable {
  package enum Outcome: String, Sendable, CaseIterable { case answered, refused, expired }

  private var counts: [Outcome: Int64] = [:]

  package init() {}

  package subscript(outcome: Outcome) -> Int64 { counts[outcome] ?? 0 }

  mutating func add(_ outcome: Outcome) { counts[outcome, default: 0] += 1 }

  static func += (left: inout Self, right: Self) { left.counts.merge(right.counts) { $0 + $1 } }
}
