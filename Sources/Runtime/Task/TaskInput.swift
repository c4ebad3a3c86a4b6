internal import Contracts
internal import Core
internal import Kafka
internal import OnlineStore
internal import Topology

/// One input partition of a task: what its records go through, and how far it is.
final class TaskInput {
  let plan: InputPlan
  let partition: TopicPartition
  /// Of the sources that read the topic; empty for a repartition topic.
  let sources: [SourcePipeline]
  let deltas: DeltaInput?
  /// The last record that is applied.
  var witness: RecordWitness?
  /// What the state of an earlier life saw last; compared when the log is read again.
  var expectedWitness: RecordWitness?
  /// What is committed beside C, to compare with once C is reached.
  var committedMetadata: CommitMetadata?
  /// One past the last record of the log, as far as anybody has said.
  var endOffset: Int64?
  /// What is read before the log: records that retention took.
  var archive: ArchiveFeed?
  /// Below C the state comes from the archive, whose digest is another one: nothing is compared there. A checkpoint
  /// without a witness says so.
  var isWithoutDigest: Bool
  /// When the last record came, by the monotonic clock.
  var lastRecordAtMilliseconds = WallClock.monotonic.nowMilliseconds

  init(
    plan: InputPlan, partition: TopicPartition, sources: [SourcePipeline], deltas: DeltaInput?, witness: RecordWitness?,
    isWithoutDigest: Bool = false
  ) {
    self.plan = plan
    self.partition = partition
    self.sources = sources
    self.deltas = deltas
    self.witness = witness
    expectedWitness = witness
    self.isWithoutDigest = isWithoutDigest
  }

  /// Over everything that was decided about the partition's records.
  var digest: UInt64 {
    if let deltas { return deltas.digest.value }
    return sources.reduce(UInt64(0)) { ($0 &* 0x9e37_79b9_7f4a_7c15) ^ $1.record.digest.value }
  }

  var watermark: Int64 { deltas?.watermark ?? sources.map(\.record.watermark).max() ?? .min }

  /// What a checkpoint keeps.
  func record(nextOffset: Int64) -> CheckpointRecord.InputRecord {
    var record = CheckpointRecord.InputRecord(topic: plan.topic, nextOffset: nextOffset)
    record.witness = witness
    record.sources = deltas.map { [$0.record] } ?? sources.map(\.record)
    record.upstreams = deltas?.upstreams ?? []
    record.settledWatermark = deltas?.settledWatermark ?? .min
    return record
  }

  var sourceStatus: [SourceStatus] {
    sources.map { SourceStatus(name: $0.source.name, counts: $0.record.counts) }
  }

  /// Applies the records `range` of a batch.
  ///
  /// - Returns: how many are done; fewer than there are when one has to wait for its schema.
  func process(
    _ records: borrowing ConsumedBatch, _ range: Range<Int>, outputs: TaskOutputs?
  ) throws(HeadraceError) -> Int {
    guard !range.isEmpty else { return 0 }
    var done = range.count
    if let deltas {
      try deltas.process(records, range)
    } else {
      // Several sources of one topic read the same records; the first says how far the schemas are known.
      for source in sources {
        let count = try source.process(records, range.lowerBound..<range.lowerBound + done, outputs: outputs)
        guard count == done || source === sources.first else {
          throw HeadraceError(
            .external, "SCHEMA_UNAVAILABLE", "a writer's schema was known to one source and not to another",
            retry: .sameCall, place: partition.description)
        }
        done = count
      }
    }
    if done > 0, !isWithoutDigest { witness = Self.witness(of: records[range.lowerBound + done - 1]) }
    return done
  }

  /// - Returns: false when the record that the state saw last is another one now: the topic was made again.
  func isContinued(by record: borrowing ConsumedRecord) -> Bool {
    guard let expected = expectedWitness, record.offset == expected.offset else { return true }
    return Self.witness(of: record) == expected
  }

  private static func witness(of record: borrowing ConsumedRecord) -> RecordWitness {
    var hash = Hash64.mix(UInt64(bitPattern: record.timestampMilliseconds))
    if let key = unsafe record.keyBytes { hash = unsafe Hash64.hash(key, seed: hash) }
    if let value = unsafe record.valueBytes { hash = unsafe Hash64.hash(value, seed: hash) }
    return RecordWitness(offset: record.offset, hash: hash)
  }
}

extension Hash64 {
  fileprivate static func mix(_ number: UInt64) -> UInt64 {
    var generator = SplitMix64(seed: number)
    return generator.next()
  }
}
