internal import Contracts
internal import Core
package import Kafka
package import Topology

/// All predictions of a model that the log has, with the labels that came for them: what somebody reads who wants to
/// compare models after the event, by the same rules as the monitors.
///
/// Of a prediction that was corrected the newest revision counts.
package struct LabelledPredictions: Sendable {
  /// Of the rows' vectors; 0 when the model does not write them (`features: full`).
  package let featureCount: Int
  /// Row by row, `featureCount` each: what was seen.
  package private(set) var vectors: [Float] = []
  package private(set) var timesMilliseconds: [Int64] = []
  /// What was answered.
  package private(set) var scores: [Double] = []
  /// 1 and 0 for yes and no; NaN where no label came in time.
  package private(set) var labels: [Double] = []

  /// All predictions, those without a label included.
  package var count: Int { scores.count }

  /// Reads the topics of predictions, events and labels from their beginnings to their present ends. Blocks.
  ///
  /// - Parameter index: a position in `Plan.models`: a model with a label that scores the stream.
  package init(_ plan: Plan, model index: Int, _ client: ClientConfiguration) throws {
    let reading = try PredictionReading(plan, model: index)
    featureCount = reading.featureCount
    try reading.run(client)
    for partition in reading.rows.keys.sorted() { add(reading, partition) }
  }

  private mutating func add(_ reading: PredictionReading, _ partition: Int32) {
    guard let rows = reading.rows[partition] else { return }
    let keys = reading.keys[partition] ?? [:]
    let newest = reading.newestScores[partition] ?? [:]
    let width = featureCount + 1
    for row in 0..<rows.count {
      let (offset, time) = (rows.eventOffsets[row], rows.timesMilliseconds[row])
      let end = max(time.addingReportingOverflow(reading.withinMilliseconds).partialValue, time)
      let truth = keys[offset].flatMap { reading.truths[$0] }?
        .filter { (time...end).contains($0.timeMilliseconds) }
        .min { ($0.timeMilliseconds, -$0.value) < ($1.timeMilliseconds, -$1.value) }
      vectors += rows.values[row * width..<row * width + featureCount]
      timesMilliseconds.append(time)
      scores.append(newest[offset] ?? rows.scores[row])
      labels.append(truth?.value ?? .nan)
    }
  }
}

/// One pass over the three topics of a model.
private final class PredictionReading {
  let featureCount: Int
  let withinMilliseconds: Int64
  /// By partition.
  private(set) var rows: [Int32: PredictionRows] = [:]
  /// By partition and offset of the event, what corrections say.
  private(set) var newestScores: [Int32: [Int64: Double]] = [:]
  /// By partition and offset of the event, what labels name it by.
  private(set) var keys: [Int32: [Int64: UInt64]] = [:]
  private(set) var truths: [UInt64: [LabelJoin.Truth]] = [:]
  private let topics: (predictions: String, events: String, labels: String)
  private let events: EventReader
  private let labels: LabelReader
  private var parser: PredictionParser
  private var names = SegmentNames()
  private var corrections: [ScoreCorrection] = []

  init(_ plan: Plan, model index: Int) throws {
    let model = plan.models[index]
    guard let stream = model.stream, let label = model.label else {
      throw HeadraceError(
        .user, "NO_LABEL", "the model has no label, or does not score the stream", place: model.name,
        remedy: "give it `label: {source: …, match: …, value: …, within: …}`")
    }
    featureCount = stream.features == .full ? plan.services[model.service].features.count : 0
    withinMilliseconds = label.withinMilliseconds
    let (source, truth) = (plan.sources[model.source], plan.sources[label.source])
    topics = (model.outputTopic, source.topic, truth.topic)
    let columns = try SourceColumns(source, schemas: NoWriterSchemas())
    events = EventReader(columns, key: label.matchColumn, segments: [])
    labels = LabelReader(
      label.source == model.source ? columns : try SourceColumns(truth, schemas: NoWriterSchemas()), truth, label)
    parser = PredictionParser(model: model.name, featureCount: featureCount)
  }

  func run(_ client: ClientConfiguration) throws {
    let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
    defer { _ = try? consumer.close() }
    var partitions: [TopicPartition] = []
    for topic in Set([topics.predictions, topics.events, topics.labels]).sorted() {
      for number in 0..<(try consumer.partitionCount(of: topic)) {
        partitions.append(TopicPartition(topic: topic, partition: number))
      }
    }
    let ends = try consumer.watermarks(partitions)
    try consumer.assign(Dictionary(partitions.map { ($0, StartOffset.beginning) }) { first, _ in first })
    var lastProgress = WallClock.monotonic.nowMilliseconds
    while try partitions.contains(where: { try consumer.position(of: $0) < ends[$0]?.end ?? 0 }) {
      let result = try consumer.poll(timeoutMilliseconds: 100) { try take($0) }
      let now = WallClock.monotonic.nowMilliseconds
      if result.records > 0 { lastProgress = now }
      guard now - lastProgress <= Int64(client.requestTimeoutMilliseconds) else {
        throw HeadraceError(
          .external, "LOG_SILENT", "no record came for \((now - lastProgress) / 1_000) s, and there are more",
          place: topics.predictions, remedy: "look after the broker; an open transaction may hide them")
      }
    }
  }

  private func take(_ records: borrowing ConsumedBatch) throws(HeadraceError) {
    let (topic, partition) = (records.partition.topic, records.partition.partition)
    if topic == topics.predictions {
      var known = rows.removeValue(forKey: partition) ?? PredictionRows(partition: partition)
      corrections.removeAll(keepingCapacity: true)
      for index in records.indices {
        guard let value = records[index].value else { continue }
        _ = parser.append(value, offset: records[index].offset, to: &known, &corrections)
      }
      rows[partition] = known
      for correction in corrections {
        newestScores[partition, default: [:]][correction.eventOffset] = correction.score
      }
    }
    if topic == topics.events {
      for event in try events.read(records, &names) where !event.isRefused {
        keys[partition, default: [:]][event.offset] = event.key
      }
    }
    guard topic == topics.labels else { return }
    for row in try labels.read(records) where row.key != 0 && !row.value.isNaN {
      truths[row.key, default: []].append(.init(timeMilliseconds: row.timeMilliseconds, value: row.value))
    }
  }
}
