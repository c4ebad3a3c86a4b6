internal import Core
internal import Kafka
internal import Topology

/// What the models of one task say, as records for one transaction.
struct PredictionBuffers: Sendable {
  let task: Int32
  /// By model.
  var predictions: [ProduceBatch]
  /// By model: what versions say that are only compared.
  var shadows: [ProduceBatch]

  init(_ plan: Plan, task: Int32) {
    self.task = task
    predictions = plan.models.map { ProduceBatch(topic: $0.outputTopic) }
    shadows = plan.models.map { ProduceBatch(topic: $0.stream?.shadowTopic ?? $0.outputTopic) }
  }

  var sizeBytes: Int {
    predictions.reduce(0) { $0 + $1.sizeBytes } + shadows.reduce(0) { $0 + $1.sizeBytes }
  }
  var all: [ProduceBatch] { predictions + shadows }

  mutating func removeAll() {
    for model in predictions.indices { predictions[model].removeAll() }
    for model in shadows.indices { shadows[model].removeAll() }
  }
}

/// The buffers that fill. Belongs to the lane's thread.
final class PredictionOutputs {
  private var filling: PredictionBuffers
  /// The `traceparent` of what is being written, for predictions whose record has none of its own; empty for none.
  var batchTrace: [UInt8] = []
  /// Without memory for a record, or with one that no broker takes, the task cannot go on.
  private(set) var failure: HeadraceError?

  init(_ buffers: PredictionBuffers) { filling = buffers }

  var sizeBytes: Int { filling.sizeBytes }

  /// Takes everything; `next` fills.
  func exchange(for next: consuming PredictionBuffers) -> PredictionBuffers {
    next.removeAll()
    swap(&next, &filling)
    return next
  }

  /// An empty set of the same topics.
  var another: PredictionBuffers {
    var another = filling
    another.removeAll()
    return another
  }

  func removeAll() {
    filling.removeAll()
    failure = nil
  }

  /// From here on these are filled; what was is gone.
  func fill(_ buffers: PredictionBuffers) {
    filling = buffers
    failure = nil
  }

  /// Of a prediction whose event lies in the segments of the rollout under way: only these of the champion are alike
  /// those of a version that answers in segments alone. A header, so that the record's schema is the same without.
  static let segmentHeader = "headrace-segment"
  private static let inSegment = "1"

  /// What a model says of an event, in the partition of the event.
  ///
  /// - Parameters:
  ///   - place: of the event, as `TaskOutputs.sourceHeader` has it.
  ///   - sample: the part of the keys that is scored, as `TaskOutputs.sampleHeader` has it; empty: all.
  ///   - isInSegment: of a rollout that has segments.
  func prediction(
    model: Int, key: RawSpan?, value: RawSpan, place: RawSpan, traceparent: RawSpan?, sample: [UInt8],
    isInSegment: Bool
  ) {
    note { () throws(HeadraceError) in
      try filling.predictions[model].append(key: key, value: value, partition: filling.task)
      try filling.predictions[model].appendHeader(TaskOutputs.sourceHeader, place)
      if !sample.isEmpty {
        unsafe try filling.predictions[model].appendHeader(TaskOutputs.sampleHeader, sample.span.bytes)
      }
      if isInSegment { try filling.predictions[model].appendHeader(Self.segmentHeader, Self.inSegment) }
      let trace = batchTrace
      if let traceparent {
        try filling.predictions[model].appendHeader("traceparent", traceparent)
      } else if !trace.isEmpty {
        unsafe try filling.predictions[model].appendHeader("traceparent", trace.span.bytes)
      }
    }
  }

  /// What a version says that is only compared.
  func shadow(model: Int, key: RawSpan?, value: RawSpan, place: RawSpan) {
    note { () throws(HeadraceError) in
      try filling.shadows[model].append(key: key, value: value, partition: filling.task)
      try filling.shadows[model].appendHeader(TaskOutputs.sourceHeader, place)
    }
  }

  private func note(_ body: () throws(HeadraceError) -> Void) {
    guard failure == nil else { return }
    do throws(HeadraceError) { try body() } catch { failure = error }
  }
}
