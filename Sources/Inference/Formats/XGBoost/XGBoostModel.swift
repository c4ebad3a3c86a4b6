internal import Core
internal import Glibc

/// XGBoost's document, the same in JSON and UBJSON.
enum XGBoostModel {
  static func read(
    _ document: Document, format: ModelFormat, usesBestIteration: Bool
  ) throws(HeadraceError) -> Model {
    let learner = try DocumentNode(document).required("learner")
    let parameters = try learner.required("learner_model_param")
    let featureCount = try parameters.required("num_feature").looseInteger(in: 0...ModelLimit.featuresMax)
    let classCount = try parameters.member("num_class")?.looseInteger(in: 0...ModelLimit.outputsMax) ?? 0
    let targetCount = try parameters.member("num_target")?.looseInteger(in: 0...ModelLimit.outputsMax) ?? 1
    let outputCount = max(1, classCount, targetCount)
    let objective = try learner.required("objective").required("name").text()
    let rules = try XGBoostObjective(objective)
    let starts = try rules.margins(of: try baseScores(parameters, count: outputCount))
    var trees = try trees(learner, margins: starts.map(Float.init))
    if usesBestIteration, let kept = try treesUpToBest(learner), kept < trees.count {
      trees.removeLast(trees.count - kept)
    }
    let ensemble = TreeEnsemble(
      featureCount: featureCount, outputCount: outputCount, trees: trees, starts: starts, precision: .float32,
      categoryRule: .notNegative)
    try ensemble.validate()
    var names: [String] = []
    if let list = try learner.member("feature_names") {
      for name in try list.list() { names.append(try name.text()) }
    }
    return Model(
      format: format, objective: objective, body: .trees(ensemble, stages: rules.stages), featureCount: featureCount,
      featureNames: names.count == featureCount ? names : [],
      outputCount: rules.stages.contains(.argumentOfMaximum) ? 1 : outputCount)
  }

  /// One number up to 3.0, `[number, …]` inside a string from 3.1 on; one for all outputs or one for each.
  private static func baseScores(_ parameters: DocumentNode, count: Int) throws(HeadraceError) -> [Float] {
    guard let node = try parameters.member("base_score") else { return [Float](repeating: 0.5, count: count) }
    var text: String
    switch node.value {
    case .number(let number): return [Float](repeating: Float(number), count: count)
    default: text = try node.text()
    }
    if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
    var scores: [Float] = []
    for part in text.split(separator: ",") {
      guard let score = Float(part.filter { $0 != " " }), score.isFinite else { throw node.wrong("base scores") }
      scores.append(score)
    }
    if let single = scores.first, scores.count == 1 { return [Float](repeating: single, count: count) }
    guard scores.count == count else {
      throw ModelFault.invalid("\(scores.count) base scores for \(count) outputs", place: node.path)
    }
    return scores
  }

  /// How many trees there are up to the iteration that early stopping chose; nil when it chose none.
  private static func treesUpToBest(_ learner: DocumentNode) throws(HeadraceError) -> Int? {
    guard
      let best = try learner.member("attributes")?.member("best_iteration")?.looseInteger(in: 0...ModelLimit.treesMax)
    else { return nil }
    var booster = try learner.required("gradient_booster")
    if let inner = try booster.member("gbtree") { booster = inner }
    let ends = try booster.required("model").required("iteration_indptr").integers()
    guard best + 1 < ends.count, ends[best + 1] >= 0 else {
      throw ModelFault.invalid("best_iteration \(best), there are \(ends.count - 1) iterations", place: learner.path)
    }
    return ends[best + 1]
  }

  private static func trees(_ learner: DocumentNode, margins: [Float]) throws(HeadraceError) -> [DecisionTree] {
    var booster = try learner.required("gradient_booster")
    let name = try booster.required("name").text()
    var weights: [Double]?
    switch name {
    case "gbtree": break
    case "dart":
      weights = try booster.required("weight_drop").numbers()
      booster = try booster.required("gbtree")
    default:
      throw ModelFault.unsupported(
        "XGBoost: the booster \(name.prefix(40))", place: booster.path, remedy: "known: gbtree, dart")
    }
    let model = try booster.required("model")
    // From 3.4 on gbtree itself may carry weights; they are factors and nothing else.
    let factors = try model.member("weight_drop")?.numbers()
    let nodes = try model.required("trees").list()
    let outputs = try model.required("tree_info").integers()
    guard outputs.count == nodes.count, (factors ?? weights).map({ $0.count == nodes.count }) ?? true else {
      throw ModelFault.invalid("\(nodes.count) trees, \(outputs.count) in tree_info", place: model.path)
    }
    var trees: [DecisionTree] = []
    trees.reserveCapacity(nodes.count)
    for (index, node) in nodes.enumerated() {
      guard margins.indices.contains(outputs[index]) else {
        throw ModelFault.invalid("tree \(index) is of output \(outputs[index])", place: model.path)
      }
      let dropout =
        factors.map { XGBoostTree.Dropout(weight: Float($0[index]), margin: 0) }
        ?? weights.map { XGBoostTree.Dropout(weight: Float($0[index]), margin: margins[outputs[index]]) }
      trees.append(try XGBoostTree(node).tree(output: outputs[index], dropout: dropout))
    }
    return trees
  }
}

/// What an objective makes of sums, and of the base score, which is written as a prediction and added as a margin.
struct XGBoostObjective {
  let stages: [OutputStage]
  private let link: Link

  private enum Link { case identity, logit, logarithm }

  init(_ name: String) throws(HeadraceError) {
    switch name {
    case "binary:logistic", "reg:logistic": (stages, link) = ([.boundedSigmoid], .logit)
    case "binary:hinge": (stages, link) = ([.step], .identity)
    case "multi:softprob": (stages, link) = ([.softmax], .identity)
    case "multi:softmax": (stages, link) = ([.argumentOfMaximum], .identity)
    case "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft":
      (stages, link) = ([.exponential], .logarithm)
    case "binary:logitraw", "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror",
      "reg:absoluteerror",
      "reg:quantileerror", "rank:pairwise", "rank:ndcg", "rank:map":
      (stages, link) = ([], .identity)
    default:
      throw ModelFault.unsupported(
        "XGBoost: the objective \(name.prefix(60))", place: "$.learner.objective",
        remedy: "known: binary:*, multi:*, reg:* but expectile, count:poisson, survival:*, rank:*")
    }
  }

  func margins(of scores: [Float]) throws(HeadraceError) -> [Double] {
    var margins: [Double] = []
    for score in scores {
      let margin: Float =
        switch link {
        case .identity: score
        case .logit: -logf(1 / score - 1)
        case .logarithm: logf(score)
        }
      guard margin.isFinite else {
        throw ModelFault.invalid("the base score \(score)", place: "$.learner.learner_model_param")
      }
      margins.append(Double(margin))
    }
    return margins
  }
}
