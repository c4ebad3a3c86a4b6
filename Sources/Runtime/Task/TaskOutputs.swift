internal import Contracts
internal import Core
internal import Kafka
internal import Topology

/// What one task writes to Kafka with its next commit, but for what its models say.
///
/// Two sets of buffers: while one is on its way in a transaction, the other one fills.
final class TaskOutputs {
  private let task: Int32
  private let partitionCount: Int32
  /// A rejected record that is larger is written without what makes it so.
  private let recordBytesMaximum: Int
  /// nil: rejected records are counted and not written.
  private let rejected: (deadLetterTopic: String, lateTopic: String)?
  private var filling: Buffers
  private var spare: Buffers?
  private var scratch = ByteWriter()
  /// The `traceparent` of what is being written, for outputs whose record has none of its own; empty for none.
  var batchTrace: [UInt8] = []
  /// Without memory for a record, or with one that no broker takes, the task cannot go on.
  private(set) var failure: HeadraceError?

  struct Buffers: Sendable {
    var deadLetters: ProduceBatch
    var late: ProduceBatch
    /// By view; nil where nothing is repartitioned.
    var deltas: [ProduceBatch?]

    var sizeBytes: Int {
      deadLetters.sizeBytes + late.sizeBytes + deltas.reduce(0) { $0 + ($1?.sizeBytes ?? 0) }
    }
    var all: [ProduceBatch] { [deadLetters, late] + deltas.compactMap(\.self) }

    mutating func removeAll() {
      deadLetters.removeAll()
      late.removeAll()
      for view in deltas.indices { deltas[view]?.removeAll() }
    }
  }

  init(plan: Plan, task: Int32, partitionCount: Int32, writesRejected: Bool, recordBytesMaximum: Int) {
    self.task = task
    self.partitionCount = partitionCount
    self.recordBytesMaximum = recordBytesMaximum
    rejected = writesRejected ? (plan.deadLetterTopic, plan.lateTopic) : nil
    let deltas = plan.views.map { view in
      view.repartitionTopic.map { ProduceBatch(topic: $0, partitioner: .murmur2, partitionCount: partitionCount) }
    }
    filling = Buffers(
      deadLetters: ProduceBatch(topic: plan.deadLetterTopic), late: ProduceBatch(topic: plan.lateTopic), deltas: deltas)
    spare = filling
  }

  var sizeBytes: Int { filling.sizeBytes }

  /// Takes everything that waits; the buffers come back with `giveBack`.
  func take() -> Buffers {
    var next = spare.take() ?? filling
    next.removeAll()
    swap(&next, &filling)
    return next
  }

  func giveBack(_ buffers: consuming Buffers) { spare = buffers }

  func removeAll() {
    filling.removeAll()
    failure = nil
  }
}

extension TaskOutputs {
  /// A record that is no event: as it came, with what is wrong with it (KIP-1034). Of one that would not fit into its
  /// topic the largest part stays out: it is where `sourceHeader` says.
  func deadLetter(
    _ record: borrowing ConsumedRecord, _ partition: TopicPartition, _ source: SourcePlan, _ fault: RecordFault
  ) {
    guard rejected != nil else { return }
    note { () throws(HeadraceError) in
      try append(record, to: \.deadLetters)
      let headers = DeadLetter.headers(
        fault, contract: source.contract, value: record.value, topic: partition.topic, partition: partition.partition,
        offset: record.offset)
      for (name, value) in headers { unsafe try filling.deadLetters.appendHeader(name, value.span.bytes) }
      try filling.deadLetters.appendHeader(
        Self.sourceHeader, "\(partition.topic)/\(partition.partition)@\(record.offset)")
      try appendTrace(to: \.deadLetters, record)
    }
  }

  /// A record that nobody can read: where it is.
  func deadLetter(unreadableAt offset: Int64, _ partition: TopicPartition, _ source: SourcePlan) {
    guard rejected != nil else { return }
    note { () throws(HeadraceError) in
      let nothing: RawSpan? = nil
      try filling.deadLetters.append(key: nothing, value: nothing, partition: task)
      let headers = DeadLetter.headers(
        RecordFault(row: 0, code: .unreadable), contract: source.contract, value: nil, topic: partition.topic,
        partition: partition.partition, offset: offset)
      for (name, value) in headers { unsafe try filling.deadLetters.appendHeader(name, value.span.bytes) }
      try filling.deadLetters.appendHeader(Self.sourceHeader, "\(partition.topic)/\(partition.partition)@\(offset)")
      try filling.deadLetters.appendHeader(
        Self.omittedHeader, [Part.headers, .key, .value].map(\.rawValue).joined(separator: ","))
    }
  }

  /// A record that came behind the last ring of lateness.
  func late(_ record: borrowing ConsumedRecord, _ partition: TopicPartition, _ source: SourcePlan, watermark: Int64) {
    guard rejected != nil else { return }
    note { () throws(HeadraceError) in
      try append(record, to: \.late)
      try filling.late.appendHeader(Self.sourceHeader, "\(partition.topic)/\(partition.partition)@\(record.offset)")
      try filling.late.appendHeader("headrace-source", source.name)
      try filling.late.appendHeader("headrace-watermark", String(watermark))
      try appendTrace(to: \.late, record)
    }
  }

  /// Where an output comes from: `topic/partition@offset`.
  static let sourceHeader = "headrace-src"
  /// Of predictions, while a model scores a sample: `0.1` where one key in ten is scored.
  static let sampleHeader = "headrace-sample"
  /// Which parts of a record are not repeated because of their size: `value`, `key`, `headers`.
  private static let omittedHeader = "headrace-omitted"

  /// A piece of a row of a repartitioned view.
  func delta(view: Int, _ envelope: DeltaEnvelope, _ entry: DeltaTable.Entry) {
    withScratch { (writer) throws(HeadraceError) in
      envelope.write(to: &writer)
      entry.appendRow(to: &writer.bytes)
      let key = entry.key
      unsafe try filling.deltas[view]?.append(key: key.span.bytes, value: writer.bytes.span.bytes)
      let trace = batchTrace
      if !trace.isEmpty { unsafe try filling.deltas[view]?.appendHeader("traceparent", trace.span.bytes) }
    }
  }

  /// A watermark without a row.
  func watermark(view: Int, _ envelope: DeltaEnvelope, to partition: Int32) {
    withScratch { (writer) throws(HeadraceError) in
      envelope.write(to: &writer)
      unsafe try filling.deltas[view]?.append(value: writer.bytes.span.bytes, partition: partition)
    }
  }

  /// A record that comes with a trace goes on with it.
  private func appendTrace(
    to batch: WritableKeyPath<Buffers, ProduceBatch>, _ record: borrowing ConsumedRecord
  ) throws(HeadraceError) {
    let trace = batchTrace
    guard !trace.isEmpty, record.headers.last("traceparent") == nil else { return }
    unsafe try filling[keyPath: batch].appendHeader("traceparent", trace.span.bytes)
  }

  /// Moved out and back, so that its buffer is one buffer for all records.
  private func withScratch(_ body: (inout ByteWriter) throws(HeadraceError) -> Void) {
    var writer = ByteWriter()
    swap(&writer, &scratch)
    writer.bytes.removeAll(keepingCapacity: true)
    note { () throws(HeadraceError) in try body(&writer) }
    swap(&writer, &scratch)
  }

  private func append(
    _ record: borrowing ConsumedRecord, to batch: WritableKeyPath<Buffers, ProduceBatch>
  ) throws(HeadraceError) {
    // In the partition of the task: what was in order stays in order. A timestamp that a client refuses becomes now.
    let timestamp = record.timestampMilliseconds
    let headers = record.headers
    let omitted = omitted(record)
    try filling[keyPath: batch].append(
      key: omitted.contains(.key) ? nil : record.key, value: omitted.contains(.value) ? nil : record.value,
      timestampMilliseconds: timestamp > 0 ? timestamp : nil, partition: task)
    if !omitted.contains(.headers) {
      for index in 0..<headers.count {
        let header = headers[index]
        try filling[keyPath: batch].appendHeader(header.name, header.value)
      }
    }
    guard !omitted.isEmpty else { return }
    try filling[keyPath: batch].appendHeader(
      Self.omittedHeader, omitted.map(\.rawValue).sorted().joined(separator: ","))
  }

  private enum Part: String { case value, key, headers }

  /// The largest parts, as few as there have to be.
  private func omitted(_ record: borrowing ConsumedRecord) -> Set<Part> {
    var sizes: [(part: Part, bytes: Int)] = [
      (.value, record.value?.byteCount ?? 0), (.key, record.key?.byteCount ?? 0), (.headers, 0),
    ]
    for index in 0..<record.headers.count {
      let header = record.headers[index]
      sizes[2].bytes += header.name.utf8.count + (header.value?.byteCount ?? 0) + Self.headerOverheadBytes
    }
    var total = sizes.reduce(0) { $0 + $1.bytes }
    var omitted: Set<Part> = []
    for size in sizes.sorted(by: { $0.bytes > $1.bytes }) where total > recordBytesMaximum {
      omitted.insert(size.part)
      total -= size.bytes
    }
    return omitted
  }

  private static let headerOverheadBytes = 16

  private func note(_ body: () throws(HeadraceError) -> Void) {
    guard failure == nil else { return }
    do throws(HeadraceError) { try body() } catch { failure = error }
  }
}
