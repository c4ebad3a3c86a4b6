internal import RemoteModels

/// What a prediction says of its event, beside scores and features.
struct PredictedEvent {
  var offset: Int64
  var partition: Int32
  var eventTimeMilliseconds: Int64
  /// From the record's timestamp to the prediction.
  var latencyMilliseconds: Int64?
  /// The version that should have answered gave no number, and whether that was the challenger; nil: it did.
  var failedIsChallenger: Bool?
  /// Why it had no number, where that is known.
  var failure: RemoteFailure?
  /// What scoring took; nil while there is one version only.
  var scoringNanoseconds: Int64?
  /// An estimate of what it cost, in the price book's currency; nil without a price book.
  var cost: Double?

  init(offset: Int64, partition: Int32, eventTimeMilliseconds: Int64, latencyMilliseconds: Int64?) {
    self.offset = offset
    self.partition = partition
    self.eventTimeMilliseconds = eventTimeMilliseconds
    self.latencyMilliseconds = latencyMilliseconds
  }

  /// What a consumer acts upon; nil when there is nothing but a score.
  static func decision(_ scores: Span<Double>, _ threshold: Double?) -> Int? {
    guard scores.count == 1 else { return largest(scores) }
    return threshold.map { scores[0] >= $0 ? 1 : 0 }
  }

  /// The position of the largest score.
  static func largest(_ scores: Span<Double>) -> Int {
    var best = 0
    for index in scores.indices where scores[index] > scores[best] { best = index }
    return best
  }

  /// The largest over all outputs, with its sign.
  static func difference(_ scores: Span<Double>, _ answered: Span<Double>) -> Double {
    var largest = 0.0
    for index in scores.indices {
      let difference = scores[index] - answered[index]
      if difference.isNaN { return difference }
      if difference.magnitude > largest.magnitude { largest = difference }
    }
    return largest
  }
}
