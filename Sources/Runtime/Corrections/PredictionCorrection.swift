package import Core
internal import Inference
package import Kafka
package import Registry
package import Storage
package import Topology

/// Which predictions are made again, by which version.
package struct CorrectionRequest: Sendable {
  package var plan: Plan
  /// A position in `plan.models`.
  package var model: Int
  package var version: ModelVersion
  /// Offsets of events, by partition.
  package var ranges: [Int32: Range<Int64>]
  package var actor: String
  package var reason: String

  package init(
    plan: Plan, model: Int, version: ModelVersion, ranges: [Int32: Range<Int64>], actor: String, reason: String
  ) {
    self.plan = plan
    self.model = model
    self.version = version
    self.ranges = ranges
    self.actor = actor
    self.reason = reason
  }

  /// The same for the same work.
  package var id: String {
    let places = ranges.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.lowerBound)-\($0.value.upperBound)" }
    var text = "\(plan.name)/\(plan.models[model].name)/\(version.contentHash)/\(places.joined(separator: ","))"
    let hash = text.withUTF8 { unsafe Hash64.hash(UnsafeRawBufferPointer($0)) }
    return "correction-" + String(hash, radix: 16)
  }
}

/// What a correction found and did, or would do.
package struct CorrectionReport: Sendable {
  /// Predictions of the ranges.
  package var predictionCount: Int64 = 0
  /// Their newest revision is by the version already.
  package var currentCount: Int64 = 0
  /// Were given another revision; in a dry run: would be.
  package var correctedCount: Int64 = 0
  /// Of these, how many have another score, and another decision by the model's threshold.
  package var changedScoreCount: Int64 = 0
  package var changedLabelCount: Int64 = 0
  /// Of the scores before and after.
  package var meanDifference: Double { correctedCount > 0 ? differenceSum / Double(correctedCount) : 0 }
  package var largestDifference = 0.0
  /// The first few, for a dry run.
  package var examples: [Example] = []
  /// What the control topic says of it; nil in a dry run.
  package var record: CorrectionRecord?
  /// The control topic has said so before: nothing was left to do.
  package var wasDone = false
  var differenceSum = 0.0
  /// Of `currentCount`, those that are corrections themselves.
  var currentRevisions: Int64 = 0

  package struct Example: Sendable {
    package var id: String
    package var revision: Int64
    package var before: Double?
    package var after: Double
  }

  package init() {}
}

/// Named places at which a test can make a correction die: `HEADRACE_KILL_AT=correct.before-end:2`.
package enum CorrectionKillPoint: String, CaseIterable, Sendable {
  /// Corrections are in the log inside of the open transaction; nothing is decided.
  case beforeEnd = "correct.before-end"
  /// Kafka has decided; this process has not heard of it.
  case afterEnd = "correct.after-end"

  static func pass(_ point: CorrectionKillPoint) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  private static let armed: CorrectionKillPoint? = KillSwitch.armed()
}

/// Makes predictions again by another version, and publishes them as later revisions: the same id, `revision` one more,
/// `corrects` the offset of the record that it takes the place of. The newest revision counts.
///
/// The topic itself says what is done: a prediction whose newest revision is by the version needs nothing. Corrections
/// go out in transactions of a few thousand; the last one holds the record of the control topic as well. When the
/// process dies
///
/// - before a transaction ends: nothing of it is visible. The next life fences it, looks again, and goes on;
/// - behind its end: its corrections are found, and not made again.
///
/// Corrections carry no `headrace-src`: they say nothing about how far the task has emitted.
package final class PredictionCorrection {
  private static let examplesMaximum = 10

  private let request: CorrectionRequest
  private let client: ClientConfiguration
  private let model: ModelPlan
  private let source: SourcePlan
  private let service: ServicePlan
  private let threshold: Double?
  private var scorer: Scorer
  private var documents: PredictionDocuments
  private var report = CorrectionReport()
  /// Of the predictions of a batch that are made again.
  private var rows: [Int] = []
  private var vectors: [Float] = []
  private var scores: [Double] = []

  /// - Parameter store: of the model files.
  /// - Throws: `MODEL_DOES_NOT_FIT`, `MODEL_FILE_MISSING`, `FEATURES_NOT_RECORDED`.
  package init(
    _ request: CorrectionRequest, _ client: ClientConfiguration, store: any BlobStore
  ) throws(HeadraceError) {
    self.request = request
    self.client = client
    model = request.plan.models[request.model]
    source = request.plan.sources[model.source]
    service = request.plan.services[model.service]
    guard let stream = model.stream else {
      throw HeadraceError(.user, "NOT_IN_THE_STREAM", "the model scores no events", place: model.name)
    }
    guard stream.format == .json else {
      throw HeadraceError(
        .user, "CORRECTION_FORMAT", "corrections are written as JSON, and predictions of the model are Avro",
        place: model.name, remedy: "predictions with `format: json` can be made again")
    }
    guard stream.features == .full else {
      throw HeadraceError(
        .user, "FEATURES_NOT_RECORDED", "predictions of the model do not say what they were made of", place: model.name,
        remedy: "predictions with `features: full` in the topology can be made again; others cannot")
    }
    try ModelFit.check(request.version, request.plan, model: request.model)
    let name = try BlobName("\(ModelLibrary.sharedFolder)/\(request.version.contentHash)")
    guard let bytes = try store.read(name, bytesMax: ModelFileStore.bytesMax),
      ModelFiles.contentHash(bytes) == request.version.contentHash
    else {
      throw HeadraceError(
        .external, "MODEL_FILE_MISSING", "there is no file of version \(request.version.number)",
        place: "\(store.place)/\(name)", remedy: "name the workers' --data or --tables")
    }
    threshold = stream.threshold
    let compiled = try CompiledModel(
      Model(bytes, place: "\(store.place)/\(name)"), options: CompileOptions(weights: stream.weights))
    scorer = compiled.makeScorer()
    documents = try PredictionDocuments()
  }

  /// Makes the predictions again. Blocks.
  ///
  /// - Parameter isDryRun: publishes nothing, and says what would change.
  package func run(_ control: ControlLog, isDryRun: Bool) throws -> CorrectionReport {
    report = CorrectionReport()
    let writer = isDryRun ? nil : try CorrectionWriter(request, model, client)
    defer { writer?.close() }
    for range in try LogRange.all(of: model.outputTopic, client) {
      guard let wanted = request.ranges[range.partition.partition] else { continue }
      let newest = try survey(range, wanted)
      try makeAgain(range, newest, writer)
    }
    guard let writer else { return report }
    var record = CorrectionRecord(
      id: request.id, topology: request.plan.name, model: model.name, version: request.version.number,
      contentHash: request.version.contentHash, topic: source.topic, ranges: request.ranges, actor: request.actor,
      reason: request.reason, atMilliseconds: WallClock.system.nowMilliseconds)
    // Those of a life that died are among them: however often it died, the record is the same.
    record.predictionCount = report.predictionCount
    record.correctedCount = report.correctedCount + report.currentRevisions
    if report.correctedCount == 0,
      let known = try control.corrections(model: model.name).last(where: { $0.id == record.id })
    {
      report.wasDone = true
      report.record = known
      return report
    }
    try writer.finish(record)
    report.record = record
    return report
  }

  /// The newest revision of a prediction.
  private struct Newest {
    var recordOffset: Int64
    var revision: Int64
    var isCurrent: Bool
  }

  /// Finds the newest revision of each prediction for the wanted events.
  private func survey(_ log: LogRange, _ wanted: Range<Int64>) throws -> [Int64: Newest] {
    var newest: [Int64: Newest] = [:]
    try log.forEachBatch(client) { records, taken in
      try documents.read(records)
      for index in taken {
        guard let offset = documents.eventOffset(index, of: model.name), wanted.contains(offset),
          documents.text(index, .topic) == source.topic
        else { continue }
        let revision = documents.integer(index, .revision) ?? 0
        guard newest[offset].map({ $0.revision < revision }) ?? true else { continue }
        newest[offset] = Newest(
          recordOffset: records[index].offset, revision: revision,
          isCurrent: documents.text(index, .modelVersion) == request.version.contentHash)
      }
      return taken.count
    }
    report.predictionCount += Int64(newest.count)
    let current = newest.values.filter(\.isCurrent)
    report.currentCount += Int64(current.count)
    report.currentRevisions += Int64(current.count { $0.revision > 0 })
    return newest
  }

  /// Scores what is not by the version yet, batch by batch, and hands it to the writer.
  private func makeAgain(_ log: LogRange, _ newest: [Int64: Newest], _ writer: CorrectionWriter?) throws {
    guard newest.values.contains(where: { !$0.isCurrent }) else { return }
    try log.forEachBatch(client) { records, taken in
      try documents.read(records)
      rows.removeAll(keepingCapacity: true)
      vectors.removeAll(keepingCapacity: true)
      for index in taken {
        guard let offset = documents.eventOffset(index, of: model.name), let known = newest[offset],
          known.recordOffset == records[index].offset, !known.isCurrent
        else { continue }
        try gather(index, place: "\(log.partition)@\(records[index].offset)")
      }
      guard !rows.isEmpty else { return taken.count }
      let width = scorer.outputCount
      if scores.count < rows.count * width { scores += repeatElement(0, count: rows.count * width - scores.count) }
      scorer.score(vectors, rowCount: rows.count, into: &scores)
      for (position, index) in rows.enumerated() {
        let values = Array(scores[position * width..<(position + 1) * width])
        let revision = (documents.integer(index, .revision) ?? 0) + 1
        note(index, values, revision: revision)
        try writer?.append(
          text(index, values, revision: revision, corrects: records[index].offset), key: records[index].key,
          partition: log.partition.partition)
      }
      return taken.count
    }
  }

  private func gather(_ index: Int, place: String) throws(HeadraceError) {
    guard documents.text(index, .serviceVersion) == service.fingerprint.description else {
      throw HeadraceError(
        .user, "SERVICE_CHANGED", "the prediction was made of another version of service \(service.name)",
        place: place, remedy: "correct ranges that were predicted since the service is as it is now")
    }
    guard documents.appendVector(index, count: service.features.count, to: &vectors) else {
      throw HeadraceError(
        .user, "FEATURES_NOT_RECORDED", "the prediction does not say what it was made of", place: place,
        remedy: "correct ranges that were predicted with `features: full`")
    }
    rows.append(index)
  }

  private func note(_ index: Int, _ values: [Double], revision: Int64) {
    report.correctedCount += 1
    let before = documents.number(index, .score)
    guard values.count == 1, let after = values.first else { return }
    if report.examples.count < Self.examplesMaximum {
      report.examples.append(
        .init(id: documents.text(index, .id) ?? "", revision: revision, before: before, after: after))
    }
    guard let before, !after.isNaN else {
      report.changedScoreCount += before == nil && after.isNaN ? 0 : 1
      return
    }
    if before != after { report.changedScoreCount += 1 }
    if let threshold, (before >= threshold) != (after >= threshold) { report.changedLabelCount += 1 }
    report.differenceSum += after - before
    if (after - before).magnitude > report.largestDifference.magnitude { report.largestDifference = after - before }
  }

  /// The prediction with what the version says in the place of what was said.
  private func text(_ index: Int, _ values: [Double], revision: Int64, corrects: Int64) -> [UInt8] {
    var writer = JSONWriter()
    func keep(_ field: PredictionDocuments.Field, in json: inout JSONWriter) {
      guard let raw = documents.raw(index, field) else { return }
      json.key(field.rawValue)
      json.raw(raw)
    }
    writer.object { json in
      keep(.id, in: &json)
      keep(.model, in: &json)
      json.member("model_version", request.version.contentHash)
      json.member("version", request.version.number)
      json.member("arm", "correction")
      keep(.service, in: &json)
      keep(.serviceVersion, in: &json)
      if values.count == 1 {
        json.member("score", values[0])
        if let threshold { json.member("label", values[0] >= threshold) }
      } else {
        json.key("scores")
        json.array { list in for value in values { list.double(value) } }
        json.member("label", values.indices.max { values[$0] < values[$1] } ?? 0)
      }
      for field in [
        PredictionDocuments.Field.features, .featuresHash, .missingViews, .topic, .partition, .offset, .eventTime,
      ] {
        keep(field, in: &json)
      }
      json.member("revision", revision)
      json.member("corrects", corrects)
    }
    return writer.bytes
  }
}
