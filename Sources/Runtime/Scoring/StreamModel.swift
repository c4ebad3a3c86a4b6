internal import Columns
internal import Core
internal import Expressions
internal import Inference
internal import OnlineStore
internal import Registry
internal import Topology

/// One model of a source in one task: its columns of the stage's matrix, the versions that share its events, and how
/// predictions are written.
///
/// A batch is scored arm by arm: who scores an event is decided once for all of them, each arm scores its events in one
/// call, and records are written in the order of the log.
final class StreamModel {
  /// A position in `Plan.models`.
  let index: Int
  private let plan: Plan
  private let stream: StreamModelPlan
  private let columns: [VectorColumn]
  private let blocks: [ModelLayout.Block]
  private let setting: PredictionWriter.Setting
  private var featureCount: Int { columns.count }
  /// The champion, the challenger if there is one, then the fallbacks in their order. Empty: nothing scores yet.
  private var arms: [ScoringArm] = []
  private var challenger: ModelArms.Challenger?
  private var shadows: [ScoringArm] = []
  /// The keys that are scored; nil: all.
  private var sample: KeyShare?
  /// Its rate, as predictions say it; empty without a sample.
  private var sampleText: [UInt8] = []
  /// Rows of the batch that are scored, and which of its records each is; without meaning without a sample.
  private var sampledRows: [Int] = []
  private var sampledRecords: [Int] = []
  private var tellsTime = false
  /// Row by row of what is predicted for, `featureCount` each.
  private var vectors: [Float] = []
  /// By event of the batch: which arm answers, and where in it.
  private var answers: [(arm: Int, position: Int)] = []
  /// By event of the batch: the arm that should have answered and had nothing to say; -1 for none.
  private var failedArms: [Int] = []
  /// By event of the batch: where in that arm.
  private var failedPositions: [Int] = []
  private var failed: [Int] = []
  /// By event of the batch, `outputsMaximum` each: what is answered, and what a shadow says.
  private var scores: [Double] = []
  private var shadowScores: [Double] = []
  private var outputsMaximum = 1
  private var segments: [Column] = []
  /// By event of the batch: whether one of the challenger's segments holds. Empty without segments.
  private var isInSegment: [Bool] = []
  private var value: [UInt8] = []
  private var place: [UInt8] = []

  init(
    _ plan: Plan, _ vector: ModelLayout.Vector, _ blocks: [ModelLayout.Block], _ setting: PredictionWriter.Setting
  ) {
    self.plan = plan
    index = vector.model
    stream = vector.stream
    columns = vector.columns
    self.blocks = blocks
    self.setting = setting
  }

  /// Whether anything scores.
  var isActive: Bool { !arms.isEmpty }

  /// From the next event on these versions score.
  func take(_ next: ModelArms?) {
    arms = []
    shadows = []
    sample = next?.sample
    sampleText = sample.map { Array("\(Double($0.perMille) / 1_000)".utf8) } ?? []
    challenger = next?.challenger
    tellsTime = next?.isRollout ?? false
    segments = challenger?.segments.map { Column($0.type) } ?? []
    isInSegment.removeAll(keepingCapacity: true)
    guard let next else { return }
    arms.append(arm(next.champion, stream.file == nil && stream.remote == nil ? "champion" : nil))
    if let challenger = next.challenger { arms.append(arm(challenger.version, challenger.kind.rawValue)) }
    for fallback in next.fallbacks {
      switch fallback {
      case .version(let version): arms.append(arm(version, "fallback"))
      case .constant(let constant):
        arms.append(ScoringArm(constant: constant, writer(nil, "fallback")))
      }
    }
    shadows = next.shadows.map { arm($0, "shadow") }
    outputsMaximum = (arms + shadows).map(\.outputCount).max() ?? 1
  }

  private func arm(_ version: ModelArms.Version, _ name: String?) -> ScoringArm {
    ScoringArm(version, writer(version, name))
  }

  private func writer(_ version: ModelArms.Version?, _ name: String?) -> PredictionWriter {
    PredictionWriter(plan, model: index, stream, blocks, version: version, name, setting)
  }

  private var firstFallback: Int { challenger == nil ? 1 : 2 }
}

// Scoring.
extension StreamModel {
  /// Fills the vectors of the events, column by column, decides which arm scores which event, and scores.
  func score(_ batch: ScoringBatch, stride: Int, computed: [ComputedFeature], _ scratch: inout ExpressionScratch) {
    choose(batch)
    let rows = rows(of: batch)
    let count = rows.count
    guard count > 0 else { return }
    let cells = count * featureCount
    if vectors.count < cells { vectors += repeatElement(0, count: cells - vectors.count) }
    Self.fill(&vectors, columns, batch, rows, stride: stride, computed)
    if answers.count < count {
      answers += repeatElement((arm: 0, position: 0), count: count - answers.count)
      failedArms += repeatElement(-1, count: count - failedArms.count)
      failedPositions += repeatElement(0, count: count - failedPositions.count)
    }
    if let challenger {
      choose(challenger, batch, &scratch)
      for arm in arms[..<firstFallback] { arm.scoreEvents(vectors, width: featureCount) }
    } else {
      for event in 0..<count { answers[event] = (arm: 0, position: event) }
      arms[0].scoreAll(vectors, count: count)
    }
    fallBack(count)
    collect(count)
    for shadow in shadows { shadow.scoreAll(vectors, count: count) }
  }

  /// Which events are scored: a function of their keys, or of their place where they have none.
  private func choose(_ batch: ScoringBatch) {
    guard let sample else { return }
    sampledRows.removeAll(keepingCapacity: true)
    sampledRecords.removeAll(keepingCapacity: true)
    for (record, row) in batch.rows.enumerated()
    where Self.isSampled(batch.records, record, partition: batch.headers.partition, sample) {
      sampledRows.append(row)
      sampledRecords.append(record)
    }
  }

  private static func isSampled(
    _ records: borrowing HeldRecords, _ record: Int, partition: Int32, _ sample: KeyShare
  ) -> Bool {
    if let key = records.key(record) { return unsafe key.withUnsafeBytes { unsafe sample.contains($0) } }
    var place = records.offset(record) &* 1_000_003 &+ Int64(partition)
    return unsafe withUnsafeBytes(of: &place) { unsafe sample.contains($0) }
  }

  /// Rows of the batch that are scored.
  func rows(of batch: ScoringBatch) -> [Int] { sample == nil ? batch.rows : sampledRows }

  /// Where an event that is scored is among the batch's records.
  @inline(__always)
  private func record(_ event: Int) -> Int { sample == nil ? event : sampledRecords[event] }

  /// The challenger has its share of the keys, where one of its segments holds.
  private func choose(_ challenger: ModelArms.Challenger, _ batch: ScoringBatch, _ scratch: inout ExpressionScratch) {
    for (index, segment) in challenger.segments.enumerated() {
      segment.evaluate(batch.scope, into: &segments[index], scratch: &scratch)
    }
    arms[0].events.removeAll(keepingCapacity: true)
    arms[1].events.removeAll(keepingCapacity: true)
    isInSegment.removeAll(keepingCapacity: true)
    for (event, row) in rows(of: batch).enumerated() {
      var arm = 0
      let holds = holds(row)
      if !segments.isEmpty { isInSegment.append(holds) }
      // Without a key nothing would be sticky: the champion answers.
      if holds, Self.isShared(batch.records.key(record(event)), challenger.share) { arm = 1 }
      answers[event] = (arm: arm, position: arms[arm].events.count)
      arms[arm].events.append(event)
    }
  }

  private static func isShared(_ key: RawSpan?, _ share: KeyShare) -> Bool {
    guard let key else { return false }
    return unsafe key.withUnsafeBytes { unsafe share.contains($0) }
  }

  private func holds(_ row: Int) -> Bool {
    guard !segments.isEmpty else { return true }
    for index in segments.indices where segments[index].isValid[row] && segments[index].integers[row] != 0 {
      return true
    }
    return false
  }

  /// What an arm had nothing to say of goes to the next one in the chain; what nobody has anything to say of stays with
  /// the first.
  private func fallBack(_ count: Int) {
    failed.removeAll(keepingCapacity: true)
    for event in 0..<count {
      let arm = answers[event].arm
      let isFailed = arms[arm].hasFailed(answers[event].position)
      failedArms[event] = isFailed ? arm : -1
      failedPositions[event] = answers[event].position
      if isFailed { failed.append(event) }
    }
    var link = firstFallback
    while !failed.isEmpty, link < arms.count {
      let arm = arms[link]
      arm.events.removeAll(keepingCapacity: true)
      arm.events += failed
      arm.scoreEvents(vectors, width: featureCount)
      failed.removeAll(keepingCapacity: true)
      for (position, event) in arm.events.enumerated() {
        if arm.hasFailed(position) {
          failed.append(event)
        } else {
          answers[event] = (arm: link, position: position)
        }
      }
      link += 1
    }
  }

  /// What is answered, in the order of the events.
  private func collect(_ count: Int) {
    let cells = count * outputsMaximum
    if scores.count < cells { scores += repeatElement(0, count: cells - scores.count) }
    for event in 0..<count {
      let answer = answers[event]
      arms[answer.arm].copyScores(at: answer.position, to: &scores, from: event * outputsMaximum)
    }
  }

  /// Column by column: what a value is made of is decided once for all events.
  private static func fill(
    _ vectors: inout [Float], _ columns: [VectorColumn], _ batch: ScoringBatch, _ rows: [Int], stride: Int,
    _ computed: [ComputedFeature]
  ) {
    let (matrix, width) = (batch.matrix, columns.count)
    for (position, column) in columns.enumerated() {
      let missing = Float(column.defaultValue)
      var index = position
      switch column.origin {
      case .gathered(let source):
        for row in rows {
          let number = matrix[row * stride + source]
          vectors[index] = number.isNaN ? missing : Float(number)
          index += width
        }
      case .event(let source): fill(&vectors, from: position, width, batch.scope.columns[source], rows, missing)
      case .computed(let source): fill(&vectors, from: position, width, computed[source].result, rows, missing)
      }
    }
  }

  private static func fill(
    _ vectors: inout [Float], from position: Int, _ width: Int, _ column: borrowing Column, _ rows: [Int],
    _ missing: Float
  ) {
    let scale = column.numberScale
    var index = position
    for row in rows {
      let number = column.number(row, scale: scale)
      vectors[index] = number.isNaN ? missing : Float(number)
      index += width
    }
  }
}

// Writing.
extension StreamModel {
  /// Writes one prediction for each event, and one of each shadow to its own topic.
  func write(_ batch: ScoringBatch, nowMilliseconds: Int64, to outputs: PredictionOutputs) {
    let cost = setting.costs?.ofPrediction(model: plan.models[index].name)
    let (rows, headers, records, isMissing) = (rows(of: batch), batch.headers, batch.records, batch.isMissing)
    for (event, row) in rows.enumerated() {
      let arm = arms[answers[event].arm]
      var about = Self.about(records, record(event), row, headers, nowMilliseconds)
      about.cost = cost
      about.failedIsChallenger = failedArms[event] < 0 ? nil : challenger != nil && failedArms[event] == 1
      about.failure = failedArms[event] < 0 ? nil : arms[failedArms[event]].failure(failedPositions[event])
      about.scoringNanoseconds = tellsTime ? arm.nanosecondsPerEvent : nil
      let liesInSegment = isInSegment.isEmpty ? false : isInSegment[event]
      value.removeAll(keepingCapacity: true)
      place.removeAll(keepingCapacity: true)
      arm.writer.write(
        &value, about,
        scores: scores.span.extracting(event * outputsMaximum..<event * outputsMaximum + arm.outputCount),
        vector: vectors.span.extracting(event * featureCount..<(event + 1) * featureCount),
        missing: isMissing.span.extracting(row * blocks.count..<(row + 1) * blocks.count))
      arm.writer.writePlace(&place, partition: headers.partition, offset: about.offset)
      unsafe outputs.prediction(
        model: index, key: records.key(record(event)), value: value.span.bytes, place: place.span.bytes,
        traceparent: records.traceparent(record(event)), sample: sampleText, isInSegment: liesInSegment)
    }
    for shadow in shadows { write(shadow, batch, nowMilliseconds: nowMilliseconds, to: outputs) }
  }

  private func write(
    _ shadow: ScoringArm, _ batch: ScoringBatch, nowMilliseconds: Int64, to outputs: PredictionOutputs
  ) {
    let (rows, headers, records, isMissing) = (rows(of: batch), batch.headers, batch.records, batch.isMissing)
    let cells = rows.count * shadow.outputCount
    if shadowScores.count < cells { shadowScores += repeatElement(0, count: cells - shadowScores.count) }
    for (event, row) in rows.enumerated() {
      let arm = arms[answers[event].arm]
      let start = event * shadow.outputCount
      shadow.copyScores(at: event, to: &shadowScores, from: start)
      var about = Self.about(records, record(event), row, headers, nowMilliseconds)
      about.failedIsChallenger = shadow.hasFailed(event) ? true : nil
      about.scoringNanoseconds = shadow.nanosecondsPerEvent
      value.removeAll(keepingCapacity: true)
      place.removeAll(keepingCapacity: true)
      shadow.writer.write(
        &value, about, scores: shadowScores.span.extracting(start..<start + shadow.outputCount),
        vector: vectors.span.extracting(event * featureCount..<(event + 1) * featureCount),
        missing: isMissing.span.extracting(row * blocks.count..<(row + 1) * blocks.count),
        comparedWith: scores.span.extracting(event * outputsMaximum..<event * outputsMaximum + arm.outputCount),
        of: arm.writer)
      shadow.writer.writePlace(&place, partition: headers.partition, offset: about.offset)
      unsafe outputs.shadow(
        model: index, key: records.key(record(event)), value: value.span.bytes, place: place.span.bytes)
    }
  }

  private static func about(
    _ records: borrowing HeldRecords, _ record: Int, _ row: Int, _ headers: borrowing EventHeaders,
    _ nowMilliseconds: Int64
  ) -> PredictedEvent {
    let timestamp = records.timestampMilliseconds(record)
    return PredictedEvent(
      offset: records.offset(record), partition: headers.partition,
      eventTimeMilliseconds: headers.eventTimesMilliseconds[row],
      latencyMilliseconds: timestamp > 0 ? nowMilliseconds - timestamp : nil)
  }
}
