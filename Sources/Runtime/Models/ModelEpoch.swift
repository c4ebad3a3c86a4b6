internal import Columns
internal import Core
internal import Expressions
internal import Inference
internal import Registry
internal import RemoteModels
internal import Topology

/// What scores the events of a plan's models from some offset of a task on, loaded and typed: a value that tasks take
/// over as a whole.
struct ModelEpoch: Sendable {
  /// Of the newest registry command that concerns the plan's models; -1 before the first.
  var position: Int64
  /// By position in `Plan.models`; nil for one that nothing scores yet.
  var models: [ModelArms?]

  static let none = ModelEpoch(position: -1, models: [])

  subscript(model: Int) -> ModelArms? { model < models.count ? models[model] : nil }

  /// What answers, for requests.
  var champions: ModelSet {
    ModelSet(
      versions: models.map { arms in
        guard let champion = arms?.champion, case .local(let compiled) = champion.scorer else { return nil }
        return ModelSet.Version(contentHash: champion.contentHash, number: champion.number, compiled: compiled)
      })
  }
}

/// What turns rows into scores.
enum ModelScorer: Sendable {
  case local(CompiledModel)
  case remote(RemoteModel)

  var outputCount: Int {
    switch self {
    case .local(let compiled): compiled.model.outputCount
    case .remote(let remote): remote.configuration.outputCount
    }
  }
}

/// The versions that share the events of one model.
struct ModelArms: Sendable {
  struct Version: Sendable {
    /// nil: a file of the topology's folder.
    var number: Int?
    var contentHash: String
    var scorer: ModelScorer
    /// nil: it may take as long as it takes.
    var budget: ScoringBudget?
    /// Rows that a local one scores at a time; nil: all that there are.
    var batchRowsMax: Int?
  }

  /// Answers for a share of the keys.
  struct Challenger: Sendable {
    var version: Version
    var kind: Rollout.Kind
    var share: KeyShare
    /// Over the source's scope; it answers where one of them holds. Empty: everywhere.
    var segments: [Expression]
  }

  enum Fallback: Sendable {
    case version(Version)
    case constant(Double)
  }

  var champion: Version
  var challenger: Challenger?
  var shadows: [Version]
  var fallbacks: [Fallback]
  /// The keys that are scored at all; nil: every event.
  var sample: KeyShare?

  /// The local versions that have a time-out, each by the name of its part.
  var budgets: [(arm: String, version: Version, budget: ScoringBudget)] {
    var found = [(arm: "champion", version: champion)]
    if let challenger { found.append((arm: challenger.kind.rawValue, version: challenger.version)) }
    for case .version(let version) in fallbacks { found.append((arm: "fallback", version: version)) }
    return found.compactMap { arm, version in version.budget.map { (arm, version, $0) } }
  }

  /// Whether more than one version takes part: then predictions say how long scoring took.
  var isRollout: Bool { challenger != nil || !shadows.isEmpty }
}

/// A share of all keys, the same for a key wherever and whenever it is asked: a larger share of the same salt has all
/// keys of the smaller one.
struct KeyShare: Sendable, Equatable {
  /// All keys.
  static let whole = 1_000
  let perMille: Int
  private let seed: UInt64

  init(perMille: Int, salt: String) {
    self.perMille = perMille
    var salt = salt
    seed = salt.withUTF8 { unsafe Hash64.hash(UnsafeRawBufferPointer($0)) }
  }

  @inline(__always)
  func contains(_ key: UnsafeRawBufferPointer) -> Bool {
    // The upper half of a product: even shares without a division.
    let bucket = unsafe Hash64.hash(key, seed: seed).multipliedFullWidth(by: 1_000).high
    return bucket < UInt64(clamping: perMille)
  }

  func contains(_ key: [UInt8]) -> Bool { unsafe key.withUnsafeBytes { unsafe contains($0) } }
}

extension ModelArms {
  /// Loads what an assignment names.
  ///
  /// - Throws: when a file is missing or broken, does not fit the service, or a segment does not fit the source.
  init(
    _ assignment: ModelAssignment, of index: Int, _ plan: Plan, _ library: ModelLibrary
  ) throws(HeadraceError) {
    let loader = ModelLoader(plan: plan, index: index, library: library)
    // The same keys each time, and others than those of a rollout.
    sample = assignment.samplePerMille.map {
      KeyShare(perMille: $0, salt: "sample/\(plan.name)/\(plan.models[index].name)")
    }
    champion = try loader.version(assignment.champion)
    challenger = nil
    if let found = assignment.challenger {
      let rollout = found.rollout
      challenger = Challenger(
        version: try loader.version(found.version), kind: rollout.kind,
        share: KeyShare(perMille: rollout.sharePerMille, salt: rollout.salt),
        segments: try loader.segments(rollout.segments))
    }
    shadows = []
    for version in assignment.shadows {
      // Nothing waits for what it says but the batch: a shadow that is slow is a finding, not a failure.
      var shadow = try loader.version(version)
      shadow.budget = nil
      shadows.append(shadow)
    }
    fallbacks = []
    for fallback in assignment.fallbacks {
      switch fallback {
      case .constant(let score): fallbacks.append(.constant(score))
      case .version(let version): fallbacks.append(.version(try loader.version(version)))
      }
    }
  }
}

/// Loads versions of one model of a plan, and checks that they fit.
struct ModelLoader {
  let plan: Plan
  let index: Int
  let library: ModelLibrary

  func version(_ version: ModelAssignment.Version) throws(HeadraceError) -> ModelArms.Version {
    let model = plan.models[index]
    if let remote = model.stream?.remote, remote.contentHash == version.contentHash {
      let names = plan.services[model.service].features.map(\.name)
      let scorer = try library.remote(remote.configuration, featureNames: names)
      return .init(number: nil, contentHash: version.contentHash, scorer: .remote(scorer))
    }
    // One setting for all versions of the model: one of trees alone has no weights, and is what it is.
    let weights = model.stream?.weights ?? .float32
    let compiled: CompiledModel
    if let file = model.stream?.file, file.contentHash == version.contentHash {
      compiled = try library.file(file, of: model.name, plan, weights)
    } else {
      compiled = try library.version(version.contentHash, weights)
    }
    try Self.check(compiled.model, plan, index)
    return .init(
      number: version.number, contentHash: version.contentHash, scorer: .local(compiled),
      budget: model.stream?.timeoutMilliseconds.map {
        ScoringBudget(batchMilliseconds: $0, hasFallback: model.stream?.fallbacks.isEmpty == false)
      }, batchRowsMax: model.stream?.batchRowsMax)
  }

  /// What is wrong with a version for a model of a plan: its columns are the service's features.
  static func check(_ model: Model, _ plan: Plan, _ index: Int) throws(HeadraceError) {
    try check(
      featureCount: model.featureCount, names: model.featureNames, outputCount: model.outputCount, plan, index)
  }

  /// The same, of what the registry says of a version.
  static func check(
    featureCount: Int, names: [String], outputCount: Int, _ plan: Plan, _ index: Int
  ) throws(HeadraceError) {
    let declared = plan.models[index]
    let service = plan.services[declared.service]
    if let problem = service.problem(featureCount: featureCount, names: names) {
      throw HeadraceError(
        .user, "MODEL_DOES_NOT_FIT",
        "the version was trained on other features than service `\(service.name)` gives: \(problem)",
        place: "\(plan.name), model \(declared.name)", remedy: "train it on a dataset of the service")
    }
    if outputCount != 1, declared.stream?.threshold != nil {
      throw HeadraceError(
        .user, "MODEL_DOES_NOT_FIT",
        "the version has \(outputCount) scores for each event, and the topology a threshold",
        place: "\(plan.name), model \(declared.name)", remedy: "take `threshold` out of the topology")
    }
  }

  func segments(_ texts: [String]) throws(HeadraceError) -> [Expression] {
    var found: [Expression] = []
    for text in texts { found.append(try Self.segment(text, plan, index)) }
    return found
  }

  /// A condition over the events of a model's source.
  static func segment(_ text: String, _ plan: Plan, _ index: Int) throws(HeadraceError) -> Expression {
    let source = plan.sources[plan.models[index].source]
    let expression: Expression
    do throws(ExpressionError) {
      expression = try ParsedExpression(text).typed(in: source.scope)
    } catch {
      throw HeadraceError(
        .user, "SEGMENT_INVALID",
        "the segment `\(text)` does not fit the events that the model scores: \(error.message)",
        place: "source \(source.name)",
        remedy: error.nearest.map { "did you mean `\($0)`?" }
          ?? "it may read fields that the topology reads: derive a column of others in the source")
    }
    guard expression.type == .boolean else {
      throw HeadraceError(
        .user, "SEGMENT_INVALID", "the segment `\(text)` is no condition, found \(expression.type)",
        place: "source \(source.name)", remedy: "compare something, as in country == 'DE'")
    }
    return expression
  }
}
