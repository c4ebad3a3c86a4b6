@testable import Broker

/// The naive twin of a partition log: arrays in memory, searched from front to back.
struct LogModel {
  struct Batch {
    var baseOffset: Int64
    var endOffset: Int64
    var records: [TestRecord]
    var producerID: Int64 = -1
    var isTransactional = false
    var isMarker = false
    /// Set by the first compaction that keeps a tombstone of it.
    var deleteHorizon: Int64?
  }

  struct Producer {
    struct Sent {
      var first: Int32
      var last: Int32
      var baseOffset: Int64
    }
    var epoch: Int16
    /// Of the current epoch, all of them.
    var sent: [Sent] = []
    var openSince: Int64?
  }

  struct Aborted {
    var producerID: Int64
    var first: Int64
    var last: Int64
  }

  var batches: [Batch] = []
  var producers: [Int64: Producer] = [:]
  var aborted: [Aborted] = []
  var logStart: Int64 = 0
  var logEnd: Int64 = 0

  var lastStable: Int64 { max(logStart, producers.values.compactMap(\.openSince).min() ?? logEnd) }

  /// What an append must answer.
  enum Expectation: Equatable {
    case appended(Int64)
    case duplicate(Int64)
    case refused(Int16)
  }

  mutating func append(
    _ records: [TestRecord], producerID: Int64, epoch: Int16, sequence: Int32, transactional: Bool
  ) -> Expectation {
    if producerID >= 0, let answer = judge(producerID, epoch, sequence, records.count, transactional) { return answer }
    let base = logEnd
    let placed = records.enumerated().map { index, record in
      var record = record
      record.offset = base + Int64(index)
      return record
    }
    logEnd += Int64(records.count)
    batches.append(
      Batch(
        baseOffset: base, endOffset: logEnd, records: placed, producerID: producerID, isTransactional: transactional))
    if producerID >= 0 {
      var producer = producers[producerID] ?? Producer(epoch: epoch)
      if producer.epoch != epoch {
        producer.epoch = epoch
        producer.sent = []
      }
      producer.sent.append(.init(first: sequence, last: sequence + Int32(records.count) - 1, baseOffset: base))
      if transactional, producer.openSince == nil { producer.openSince = base }
      producers[producerID] = producer
    }
    return .appended(base)
  }

  private func judge(
    _ id: Int64, _ epoch: Int16, _ sequence: Int32, _ count: Int, _ transactional: Bool
  ) -> Expectation? {
    guard let producer = producers[id] else { return nil }
    let last = sequence + Int32(count) - 1
    if epoch == producer.epoch,
      let known = producer.sent.suffix(5).first(where: { $0.first == sequence && $0.last == last })
    {
      return .duplicate(known.baseOffset)
    }
    if epoch < producer.epoch { return .refused(47) }
    let expected = epoch == producer.epoch ? (producer.sent.last?.last ?? -1) + 1 : 0
    if sequence != expected { return .refused(45) }
    if producer.openSince != nil, !transactional { return .refused(48) }
    return nil
  }

  mutating func mark(_ id: Int64, epoch: Int16, abort: Bool) -> Expectation {
    var producer = producers[id] ?? Producer(epoch: epoch)
    if epoch < producer.epoch { return .refused(47) }
    if epoch > producer.epoch { producer.sent = [] }
    producer.epoch = epoch
    if let first = producer.openSince, abort { aborted.append(.init(producerID: id, first: first, last: logEnd)) }
    producer.openSince = nil
    producers[id] = producer
    let offset = logEnd
    logEnd += 1
    batches.append(
      Batch(
        baseOffset: offset, endOffset: logEnd, records: [], producerID: id, isTransactional: true, isMarker: true))
    return .appended(offset)
  }

  mutating func moveStart(to offset: Int64) {
    logStart = offset
    aborted.removeAll { $0.last < offset }
  }

  func isAborted(_ batch: Batch) -> Bool {
    batch.isTransactional
      && aborted.contains {
        $0.producerID == batch.producerID && $0.first <= batch.baseOffset && batch.baseOffset < $0.last
      }
  }

  /// All records from an offset on that a reader sees.
  func records(from offset: Int64, upTo limit: Int64) -> [TestRecord] {
    batches.flatMap(\.records).filter { $0.offset >= max(offset, logStart) && $0.offset < limit }
  }

  func overlapping(from start: Int64, upTo end: Int64) -> [Aborted] {
    aborted.filter { $0.first < end && $0.last >= start }.sorted { $0.first < $1.first }
  }

  /// What compaction up to an offset must leave.
  mutating func compact(upTo end: Int64, now: Int64, deleteRetention: Int64) {
    var newest: [[UInt8]: Int64] = [:]
    for batch in batches where batch.endOffset <= end && !isAborted(batch) {
      for record in batch.records { if let key = record.key { newest[key] = record.offset } }
    }
    for index in batches.indices where batches[index].endOffset <= end && !batches[index].isMarker {
      let batch = batches[index]
      let horizonPassed = batch.deleteHorizon.map { $0 <= now } ?? false
      let kept =
        isAborted(batch)
        ? []
        : batch.records.filter { record in
          guard let key = record.key, newest[key] == record.offset else { return false }
          return record.value != nil || !horizonPassed
        }
      batches[index].records = kept
      if batch.deleteHorizon == nil, kept.contains(where: { $0.value == nil }) {
        batches[index].deleteHorizon = now + deleteRetention
      }
    }
  }
}
