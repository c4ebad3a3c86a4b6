internal import Core
internal import Inference

/// The model that was loaded last, and what is done with it.
struct ScoreSession {
  var compiled: CompiledModel?

  mutating func run(_ words: [String]) throws -> String {
    switch words.first {
    case "load" where words.count > 1: try load(words)
    case "score" where words.count == 5: try score(words)
    case "time" where words.count == 5: try time(words)
    case "explain" where words.count == 5 || words.count == 6: try explain(words)
    case "time-explain" where words.count == 5: try timeExplanations(words)
    case "break" where words.count == 4: try ModelBreaker.run(words)
    default: throw HeadraceError(.user, "COMMAND", "unknown command: \(words.joined(separator: " "))")
    }
  }

  private mutating func load(_ words: [String]) throws -> String {
    let model = try Model(try Files.read(words[1]), place: words[1])
    var options = CompileOptions()
    if words.count > 2 {
      guard let instructions = InstructionSet.allCases.first(where: { "\($0)" == words[2] }), instructions <= .best
      else { throw HeadraceError(.user, "COMMAND", "\(words[2]) is not there") }
      options.instructions = instructions
    }
    if words.count > 3 {
      guard let weights = CompileOptions.Weights(rawValue: words[3]) else {
        throw HeadraceError(.user, "COMMAND", "\(words[3]) are no weights")
      }
      options.weights = weights
    }
    let compiled = try CompiledModel(model, options: options)
    self.compiled = compiled
    let cost = compiled.quantizationError.map { ", \($0)" } ?? ""
    return "\(model.outputCount) \(model.featureCount) \(model.summary)\(cost)"
  }

  private func score(_ words: [String]) throws -> String {
    guard let rowCount = Int(words[2]), let batch = Int(words[3]), batch > 0 else { throw Self.wrongNumber }
    let matrix = try Files.floats(words[1])
    var scores: [Double] = []
    try withScorer { (scorer) throws in
      guard matrix.count >= rowCount * scorer.featureCount else { throw Self.wrongNumber }
      scores = [Double](repeating: .nan, count: rowCount * scorer.outputCount)
      var start = 0
      while start < rowCount {
        let count = min(batch, rowCount - start)
        let rows = matrix.span.extracting(start * scorer.featureCount..<(start + count) * scorer.featureCount)
        var span = scores.mutableSpan
        var part = span._mutatingExtracting(start * scorer.outputCount..<(start + count) * scorer.outputCount)
        scorer.score(rows, rowCount: count, into: &part)
        start += count
      }
    }
    try Files.write(scores, to: words[4])
    return "\(scores.count)"
  }

  /// Walks over the rows of the matrix, batch after batch, and gives the time of a row.
  private func time(_ words: [String]) throws -> String {
    guard let rowCount = Int(words[2]), let batch = Int(words[3]), let seconds = Double(words[4]), batch > 0,
      batch <= rowCount
    else { throw Self.wrongNumber }
    let matrix = try Files.floats(words[1])
    var nanoseconds = 0.0
    try withScorer { (scorer) throws in
      guard matrix.count >= rowCount * scorer.featureCount else { throw Self.wrongNumber }
      var scores = [Double](repeating: 0, count: batch * scorer.outputCount)
      let clock = ContinuousClock()
      let begun = clock.now
      var elapsed = Duration.zero
      var done = 0
      var start = 0
      while elapsed < .seconds(seconds) {
        for _ in 0..<max(1, 64 / batch) {
          let rows = matrix.span.extracting(start * scorer.featureCount..<(start + batch) * scorer.featureCount)
          var span = scores.mutableSpan
          scorer.score(rows, rowCount: batch, into: &span)
          done += batch
          start = start + 2 * batch > rowCount ? 0 : start + batch
        }
        elapsed = clock.now - begun
      }
      nanoseconds = Double(elapsed / .nanoseconds(1)) / Double(done)
    }
    return "\(nanoseconds)"
  }

  private func withScorer(_ body: (inout Scorer) throws -> Void) throws {
    guard let compiled else { throw HeadraceError(.user, "COMMAND", "load a model first") }
    var scorer = compiled.makeScorer()
    try body(&scorer)
  }

  static var wrongNumber: HeadraceError { HeadraceError(.user, "COMMAND", "numbers that do not fit") }
}
