package import Columns
internal import Core
package import Inference
internal import Synchronization

/// One version of a model, ready to answer requests on any thread.
package final class ServedModel: Sendable {
  package let name: String
  /// As addresses and answers call it: a number of the registry, or the content hash of a topology's file.
  package let version: String
  package let compiled: CompiledModel
  /// Where features are looked up by key; nil where they always come with the request.
  let lookup: FeatureLookup?
  /// The vector's columns by name, of a model with a service.
  let features: [FeatureRecord.Field]
  private let idle = Mutex<[ScoringMemory]>([])
  /// Made when somebody asks for the first time.
  private let explanation = Mutex<ExplainableModel?>(nil)
  /// The newest one that was made with a background, and which.
  private let besides = Mutex<(background: Hash128, model: ExplainableModel)?>(nil)

  /// More are let go: so many requests of one model at the same moment are rare.
  private static let idleMax = 64

  package init(
    name: String, version: String, compiled: CompiledModel, lookup: FeatureLookup? = nil,
    features: [(name: String, defaultValue: Value)] = []
  ) {
    self.features = features.map { FeatureRecord.Field(name: $0.name, defaultValue: $0.defaultValue) }
    self.name = name
    self.version = version
    self.compiled = compiled
    self.lookup = lookup
  }

  /// What explains its scores.
  ///
  /// - Parameter background: whole rows that contributions are measured by; empty: what the file says of its own.
  /// - Throws: 400 for a model that cannot be explained, with what can.
  func explainable(background: [Float] = []) throws(Problem) -> ExplainableModel {
    guard background.isEmpty else { return try explainable(beside: background) }
    if let known = explanation.withLock({ $0 }) { return known }
    let made = try makeExplainable([])
    explanation.withLock { $0 = made }
    return made
  }

  /// Callers send the same rows again and again: the newest are remembered.
  private func explainable(beside background: [Float]) throws(Problem) -> ExplainableModel {
    let hash = unsafe background.withUnsafeBytes { unsafe Hash128($0) }
    if let known = besides.withLock({ $0 }), known.background == hash { return known.model }
    let made = try makeExplainable(background)
    besides.withLock { $0 = (hash, made) }
    return made
  }

  private func makeExplainable(_ background: [Float]) throws(Problem) -> ExplainableModel {
    do throws(HeadraceError) {
      return try ExplainableModel(compiled.model, background: background, weights: compiled.options.weights)
    } catch {
      throw .inference("model `\(name)` cannot be explained: \(error.message); \(error.remedy ?? "")")
    }
  }

  /// Lends memory for one request: that of an earlier one, so that a request allocates next to nothing.
  func withMemory<Result, Failure: Error>(
    _ body: (ScoringMemory) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let memory = idle.withLock { $0.popLast() } ?? ScoringMemory(compiled)
    defer {
      memory.trim()
      idle.withLock { if $0.count < Self.idleMax { $0.append(memory) } }
    }
    return try body(memory)
  }
}

/// A scorer, and the arrays around it.
// Whoever took it out of the pool is the only one who has it.
final class ScoringMemory: @unchecked Sendable {
  var request = InferenceRequest()
  private(set) var scores: [Double] = []
  /// Of each row `contributionWidth` numbers; empty when nobody asked for them.
  private(set) var contributions: [Double] = []
  private(set) var contributionWidth = 0
  private var scorer: Scorer
  private var explainer: Explainer?
  /// What the explainer was made from.
  private(set) var explanation: ExplainableModel?

  /// What a large request took is given back.
  private static let valuesKept = 1 << 18

  init(_ compiled: CompiledModel) { scorer = compiled.makeScorer() }

  /// Scores the matrix of `request` into `scores`.
  func score() {
    let count = request.rowCount * scorer.outputCount
    if scores.count < count { scores.append(contentsOf: repeatElement(0, count: count - scores.count)) }
    if scores.count > count { scores.removeLast(scores.count - count) }
    scorer.score(request.values, rowCount: request.rowCount, into: &scores)
    contributions.removeAll(keepingCapacity: true)
  }

  /// What each feature of the matrix of `request` contributes, into `contributions`.
  func explain(by model: ExplainableModel) {
    if explanation !== model { explainer = model.makeExplainer() }
    explanation = model
    contributionWidth = model.width
    contributions.append(contentsOf: repeatElement(0, count: request.rowCount * model.width))
    explainer?.explain(request.values, rowCount: request.rowCount, into: &contributions)
  }

  func trim() {
    if request.valueCapacity > Self.valuesKept || scores.capacity > Self.valuesKept
      || contributions.capacity > Self.valuesKept
    {
      request = InferenceRequest()
      scores = []
      contributions = []
    }
  }
}
