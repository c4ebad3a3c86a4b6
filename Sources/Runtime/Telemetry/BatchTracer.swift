internal import Core
internal import Glibc
internal import Kafka
internal import Telemetry

/// The spans of a worker's batches, by the conventions for messaging systems (OpenTelemetry 1.37).
///
/// A batch is a trace of its own: `poll`, in it `process` with its stages; it has a link to the span of every record
/// that names one (`traceparent`), as many as there is room for. What continues one record, a prediction, continues
/// that record's trace; everything else an output is made of continues the batch's. A commit links to the batches that
/// it commits: so a row that was made of many records leads back to them. Belongs to the worker's thread.
final class BatchTracer {
  /// OpenTelemetry's own limit.
  private static let linksMax = 128

  private struct Batch {
    var process: TraceContext
    var pollSpan: UInt64
    var beganNanoseconds: Int64
    var decodedNanoseconds: Int64?
    var links: [TraceContext] = []
    var droppedLinks = 0
    /// Spans of single records, by their position in the batch.
    var records: [Int: (parent: TraceContext, own: TraceContext)] = [:]
  }

  private let queue: SpanQueue
  private let group: String
  private var sampler: TraceSampler
  private var batch: Batch?
  private var pollStartedNanoseconds = BatchTracer.nowNanoseconds
  private var header: [UInt8] = []

  init(_ queue: SpanQueue, _ configuration: TelemetryConfiguration, group: String) {
    self.queue = queue
    self.group = group
    sampler = TraceSampler(ratio: configuration.sampleRatio, seed: UInt64.random(in: 0 ... .max))
  }

  static var nowNanoseconds: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  func pollStarts() { pollStartedNanoseconds = Self.nowNanoseconds }

  /// A batch whose outputs are sent. Looks at every record's header: one that is sampled has the batch sampled.
  func begin(_ records: borrowing ConsumedBatch, _ range: Range<Int>) {
    let root = sampler.root()
    var batch = Batch(
      process: root.child(sampler.span()), pollSpan: root.span, beganNanoseconds: Self.nowNanoseconds)
    for index in range {
      guard let header = records[index].headers.last("traceparent"),
        let parent = TraceContext(traceparent: header), parent.isSampled
      else { continue }
      batch.process.isSampled = true
      guard batch.links.count < Self.linksMax else {
        batch.droppedLinks += 1
        continue
      }
      batch.links.append(parent)
      batch.records[index] = (parent, parent.child(sampler.span()))
    }
    self.batch = batch.process.isSampled ? batch : nil
  }

  func decoded() { batch?.decodedNanoseconds = Self.nowNanoseconds }

  /// The batch's own `traceparent`; empty when it is not sampled.
  var batchHeader: [UInt8] {
    guard let batch else { return [] }
    header.removeAll(keepingCapacity: true)
    batch.process.appendHeader(to: &header)
    return header
  }

  /// The `traceparent` of what is made of one record; nil: the record's own is passed on.
  func header(ofRecord index: Int) -> [UInt8]? {
    guard let own = batch?.records[index]?.own else { return nil }
    header.removeAll(keepingCapacity: true)
    own.appendHeader(to: &header)
    return header
  }

  /// Ends the batch.
  ///
  /// - Returns: its span, for the commit to link to; nil when it is not sampled.
  func end(
    _ records: borrowing ConsumedBatch, _ range: Range<Int>, failure: HeadraceError?
  ) -> TraceContext? {
    guard let batch else { return nil }
    self.batch = nil
    let (topic, now) = (records.partition.topic, Self.nowNanoseconds)
    let place: [(name: String, value: Span.Attribute)] = [
      ("messaging.system", .text("kafka")), ("messaging.destination.name", .text(topic)),
      ("messaging.destination.partition.id", .text("\(records.partition.partition)")),
      ("messaging.consumer.group.name", .text(group)),
    ]
    var poll = Span(
      batch.process.child(batch.pollSpan), "poll \(topic)", .client, startNanoseconds: pollStartedNanoseconds,
      endNanoseconds: batch.beganNanoseconds)
    poll.attributes =
      place + Self.operation("poll", "receive") + [("messaging.batch.message_count", .integer(Int64(records.count)))]
    var process = Span(
      batch.process, parent: batch.pollSpan, "process \(topic)", .consumer, startNanoseconds: batch.beganNanoseconds,
      endNanoseconds: now)
    process.attributes =
      place + Self.operation("process", "process") + [
        ("messaging.batch.message_count", .integer(Int64(range.count))),
        ("messaging.kafka.offset", .integer(records[range.lowerBound].offset)),
      ]
    process.links = batch.links
    process.droppedLinks = batch.droppedLinks
    process.failure = failure?.description
    var spans = [poll, process]
    if let decoded = batch.decodedNanoseconds {
      spans.append(stage("decode", batch, from: batch.beganNanoseconds, to: decoded))
      spans.append(stage("apply", batch, from: decoded, to: now))
    }
    for (index, record) in batch.records.sorted(by: { $0.key < $1.key }) {
      var span = Span(
        record.own, parent: record.parent.span, "process \(topic)", .consumer,
        startNanoseconds: batch.beganNanoseconds, endNanoseconds: now)
      span.attributes =
        place + Self.operation("process", "process") + [("messaging.kafka.offset", .integer(records[index].offset))]
      span.links = [batch.process]
      spans.append(span)
    }
    queue.offer(spans)
    return batch.process
  }

  private func stage(_ name: String, _ batch: Batch, from start: Int64, to end: Int64) -> Span {
    Span(
      batch.process.child(sampler.span()), parent: batch.process.span, name, .internal, startNanoseconds: start,
      endNanoseconds: end)
  }

  private static func operation(_ name: String, _ type: String) -> [(name: String, value: Span.Attribute)] {
    [("messaging.operation.name", .text(name)), ("messaging.operation.type", .text(type))]
  }
}

// Commits.
extension BatchTracer {
  /// One commit on its way.
  struct Commit {
    fileprivate(set) var context: TraceContext
    fileprivate var links: [TraceContext]
    fileprivate var droppedLinks: Int
    fileprivate var startNanoseconds: Int64
    /// Records by the topics that they go to.
    var sent: [(topic: String, count: Int)] = []

    /// The `traceparent` of what is made of several batches.
    var header: [UInt8] {
      var bytes: [UInt8] = []
      context.appendHeader(to: &bytes)
      return bytes
    }
  }

  /// - Parameter batches: what is committed, and how many more of them there were.
  /// - Returns: nil when none of them is sampled.
  func beginCommit(_ batches: BatchLinks) -> Commit? {
    guard !batches.links.isEmpty else { return nil }
    var context = sampler.root()
    context.isSampled = true
    return Commit(
      context: context, links: batches.links, droppedLinks: batches.droppedCount,
      startNanoseconds: Self.nowNanoseconds)
  }

  func end(_ commit: Commit, failure: HeadraceError?) {
    let now = Self.nowNanoseconds
    var span = Span(
      commit.context, "commit \(group)", .client, startNanoseconds: commit.startNanoseconds, endNanoseconds: now)
    span.attributes =
      [("messaging.system", .text("kafka")), ("messaging.consumer.group.name", .text(group))]
      + Self.operation("commit", "settle")
    span.links = commit.links
    span.droppedLinks = commit.droppedLinks
    span.failure = failure?.description
    var spans = [span]
    for (topic, count) in commit.sent where count > 0 {
      var send = Span(
        commit.context.child(sampler.span()), parent: commit.context.span, "send \(topic)", .producer,
        startNanoseconds: commit.startNanoseconds, endNanoseconds: now)
      send.attributes =
        [
          ("messaging.system", .text("kafka")), ("messaging.destination.name", .text(topic)),
          ("messaging.batch.message_count", .integer(Int64(count))),
        ] + Self.operation("send", "send")
      send.failure = span.failure
      spans.append(send)
    }
    queue.offer(spans)
  }
}

/// Spans of batches that wait for their commit, as many as there is room for.
struct BatchLinks {
  private static let countMax = 128

  private(set) var links: [TraceContext] = []
  private(set) var droppedCount = 0

  mutating func append(_ context: TraceContext) {
    if links.count < Self.countMax { links.append(context) } else { droppedCount += 1 }
  }
}

@available(*, unavailable)
extension BatchTracer: Sendable {}
