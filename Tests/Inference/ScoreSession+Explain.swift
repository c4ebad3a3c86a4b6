internal import Core
internal import Inference

extension ScoreSession {
  func explain(_ words: [String]) throws -> String {
    guard let rowCount = Int(words[2]), let batch = Int(words[3]), batch > 0 else { throw Self.wrongNumber }
    let matrix = try Files.floats(words[1])
    let model = try explainable(background: words.count > 5 ? try Files.floats(words[5]) : [])
    guard matrix.count >= rowCount * model.featureCount else { throw Self.wrongNumber }
    var explainer = model.makeExplainer()
    var numbers = [Double](repeating: .nan, count: rowCount * model.width)
    var start = 0
    while start < rowCount {
      let count = min(batch, rowCount - start)
      let rows = matrix.span.extracting(start * model.featureCount..<(start + count) * model.featureCount)
      var span = numbers.mutableSpan
      var part = span._mutatingExtracting(start * model.width..<(start + count) * model.width)
      explainer.explain(rows, rowCount: count, into: &part)
      start += count
    }
    try Files.write(numbers, to: words[4])
    return "\(model.width)"
  }

  func timeExplanations(_ words: [String]) throws -> String {
    guard let rowCount = Int(words[2]), let batch = Int(words[3]), let seconds = Double(words[4]), batch > 0,
      batch <= rowCount
    else { throw Self.wrongNumber }
    let matrix = try Files.floats(words[1])
    let model = try explainable()
    guard matrix.count >= rowCount * model.featureCount else { throw Self.wrongNumber }
    var explainer = model.makeExplainer()
    var numbers = [Double](repeating: 0, count: batch * model.width)
    let clock = ContinuousClock()
    let begun = clock.now
    var elapsed = Duration.zero
    var (done, start) = (0, 0)
    while elapsed < .seconds(seconds) {
      let rows = matrix.span.extracting(start * model.featureCount..<(start + batch) * model.featureCount)
      var span = numbers.mutableSpan
      explainer.explain(rows, rowCount: batch, into: &span)
      done += batch
      start = start + 2 * batch > rowCount ? 0 : start + batch
      elapsed = clock.now - begun
    }
    return "\(Double(elapsed / .nanoseconds(1)) / Double(done))"
  }

  private func explainable(background: [Float] = []) throws -> ExplainableModel {
    guard let compiled else { throw HeadraceError(.user, "COMMAND", "load a model first") }
    guard background.count % compiled.model.featureCount == 0 else { throw Self.wrongNumber }
    return try ExplainableModel(
      compiled.model, background: background, instructions: compiled.options.instructions)
  }
}
