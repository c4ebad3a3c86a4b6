internal import Inference
internal import RemoteModels
internal import Topology

/// One version, or one constant, that scores some of the events of a batch in one task: its scores, and how they are
/// written. Buffers are kept from batch to batch.
final class ScoringArm {
  let writer: PredictionWriter
  let outputCount: Int
  /// Which of the batch's events are its, as positions in the list of rows that are predicted for.
  var events: [Int] = []
  /// Of each of its events, `outputCount` each.
  private(set) var scores: [Double] = []
  /// What scoring one event took, on average over the batch.
  private(set) var nanosecondsPerEvent: Int64 = 0
  private let constant: Double?
  private var scorer: Scorer?
  private let remote: RemoteModel?
  /// Of each of its events why an endpoint has no score for it; empty for what is no endpoint.
  private var failures: [RemoteFailure?] = []
  /// From which of its events on it was not asked, because it had taken too long before.
  private var refusedFrom = Int.max
  /// nil: it may take as long as it takes.
  private let budget: ScoringBudget?
  /// Rows that it scores at a time.
  private let batchRowsMax: Int
  private let featureCount: Int
  private var packed: [Float] = []

  init(_ version: ModelArms.Version, _ writer: PredictionWriter) {
    self.writer = writer
    budget = version.budget
    batchRowsMax = version.batchRowsMax ?? .max
    outputCount = version.scorer.outputCount
    constant = nil
    switch version.scorer {
    case .local(let compiled):
      scorer = compiled.makeScorer()
      featureCount = compiled.model.featureCount
      remote = nil
    case .remote(let model):
      scorer = nil
      featureCount = 0
      remote = model
    }
  }

  init(constant: Double, _ writer: PredictionWriter) {
    self.writer = writer
    budget = nil
    batchRowsMax = .max
    featureCount = 0
    outputCount = 1
    self.constant = constant
    scorer = nil
    remote = nil
  }

  /// Scores every event of a batch.
  func scoreAll(_ vectors: [Float], count: Int) { score(vectors, count: count) }

  /// Scores `events` alone.
  ///
  /// - Parameter vectors: of all events of the batch, `width` values each.
  func scoreEvents(_ vectors: [Float], width: Int) {
    guard !events.isEmpty else { return }
    guard constant == nil else { return score(vectors, count: events.count) }
    if packed.count < events.count * width { packed += repeatElement(0, count: events.count * width - packed.count) }
    for (position, event) in events.enumerated() {
      for column in 0..<width { packed[position * width + column] = vectors[event * width + column] }
    }
    score(packed, count: events.count)
  }

  private func score(_ matrix: [Float], count: Int) {
    let cells = count * outputCount
    if scores.count < cells { scores += repeatElement(0, count: cells - scores.count) }
    if let constant {
      for index in 0..<cells { scores[index] = constant }
      return
    }
    guard let remote else { return scoreHere(matrix, count: count) }
    let start = ContinuousClock.now
    remote.score(matrix, rowCount: count, into: &scores, failures: &failures)
    nanosecondsPerEvent = count > 0 ? Self.nanoseconds(since: start) / Int64(count) : 0
  }

  /// Batch after batch; one that took too long counts, and the events behind it are refused.
  private func scoreHere(_ matrix: [Float], count: Int) {
    refusedFrom = .max
    var (found, total) = ([Double](), Int64(0))
    // Taken out for the time of the loop: each access to what an object holds is checked.
    swap(&found, &scores)
    defer { swap(&found, &scores) }
    var first = 0
    while first < count {
      if let budget, !budget.permits() {
        refusedFrom = first
        for index in first * outputCount..<count * outputCount { found[index] = .nan }
        break
      }
      let end = min(batchRowsMax, count - first) + first
      let start = ContinuousClock.now
      var span = found.mutableSpan
      var part = span._mutatingExtracting(first * outputCount..<end * outputCount)
      scorer?.score(
        matrix.span.extracting(first * featureCount..<end * featureCount), rowCount: end - first, into: &part)
      let nanoseconds = Self.nanoseconds(since: start)
      budget?.note(nanoseconds: nanoseconds)
      total &+= nanoseconds
      first = end
    }
    nanosecondsPerEvent = first > 0 ? total / Int64(first) : 0
  }

  private static func nanoseconds(since start: ContinuousClock.Instant) -> Int64 {
    let taken = (ContinuousClock.now - start).components
    return taken.seconds &* 1_000_000_000 &+ taken.attoseconds / 1_000_000_000
  }

  /// Why it has nothing to say of one of its events, if an endpoint or its own time-out is the reason.
  func failure(_ position: Int) -> RemoteFailure? {
    if position >= refusedFrom { return .breakerOpen }
    return position < failures.count ? failures[position] : nil
  }

  /// Whether it has nothing to say of one of its events.
  func hasFailed(_ position: Int) -> Bool {
    for index in position * outputCount..<(position + 1) * outputCount where scores[index].isNaN { return true }
    return false
  }

  /// Copies what it says of one of its events.
  @inline(__always)
  func copyScores(at position: Int, to target: inout [Double], from start: Int) {
    for output in 0..<outputCount { target[start + output] = scores[position * outputCount + output] }
  }
}
