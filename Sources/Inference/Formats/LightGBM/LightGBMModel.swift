internal import Core

/// LightGBM's text model, `version=v2` to `v4`.
enum LightGBMModel {
  static let signature = Array("tree".utf8)

  static func read(_ bytes: [UInt8]) throws(HeadraceError) -> Model {
    let reader = try LightGBMReader(bytes)
    let header = reader.header
    guard let lastFeature = try reader.integer("max_feature_idx", in: header, from: 0...ModelLimit.featuresMax - 1)
    else {
      throw ModelFault.unreadable("LightGBM: max_feature_idx is missing", place: "header")
    }
    let classCount = try reader.integer("num_class", in: header, from: 1...ModelLimit.outputsMax) ?? 1
    let perIteration =
      try reader.integer("num_tree_per_iteration", in: header, from: 1...ModelLimit.outputsMax) ?? classCount
    guard perIteration == classCount else {
      throw ModelFault.invalid(
        "LightGBM: num_tree_per_iteration=\(perIteration) with num_class=\(classCount)", place: "header")
    }
    guard reader.trees.count % perIteration == 0 else {
      throw ModelFault.invalid("LightGBM: \(reader.trees.count) trees, \(perIteration) in an iteration")
    }
    var trees: [DecisionTree] = []
    trees.reserveCapacity(reader.trees.count)
    for (index, block) in reader.trees.enumerated() {
      do throws(HeadraceError) {
        trees.append(try LightGBMTree(reader: reader, block: block).tree(output: index % perIteration))
      } catch {
        throw error.at("tree \(index)")
      }
    }
    let ensemble = TreeEnsemble(
      featureCount: lastFeature + 1, outputCount: perIteration, trees: trees,
      starts: [Double](repeating: 0, count: perIteration), precision: .float64, categoryRule: .truncated)
    try ensemble.validate()
    let objective = reader.text("objective", in: header) ?? "custom"
    var stages: [OutputStage] = []
    if reader.flags.contains("average_output"), !trees.isEmpty {
      stages.append(.divide(by: Double(trees.count / perIteration)))
    }
    stages += try LightGBMObjective(objective).stages
    let names = reader.text("feature_names", in: header)?.split(separator: " ").map(String.init) ?? []
    return Model(
      format: .lightGBM, objective: objective, body: .trees(ensemble, stages: stages), featureCount: lastFeature + 1,
      featureNames: names.count == lastFeature + 1 ? names : [], outputCount: perIteration)
  }
}

/// `objective=binary sigmoid:1`: a name, then words and settings.
struct LightGBMObjective {
  let stages: [OutputStage]

  private static let asItIs: Set = [
    "regression", "regression_l2", "l2", "mean_squared_error", "mse", "l2_root", "root_mean_squared_error", "rmse",
    "regression_l1", "l1", "mean_absolute_error", "mae", "huber", "fair", "quantile", "mape",
    "mean_absolute_percentage_error", "lambdarank", "rank_xendcg", "xendcg", "xe_ndcg", "xe_ndcg_mart", "xendcg_mart",
    "custom", "none", "null", "na",
  ]

  init(_ text: String) throws(HeadraceError) {
    let words = text.split(separator: " ").map(String.init)
    let name = words.first ?? "custom"
    switch name {
    case "binary", "multiclassova", "multiclass_ova", "ova", "ovr":
      stages = [.sigmoid(scale: try Self.setting("sigmoid", in: words) ?? 1)]
    case "multiclass", "softmax": stages = [.softmax]
    case "cross_entropy", "xentropy": stages = [.sigmoid(scale: 1)]
    case "cross_entropy_lambda", "xentlambda": stages = [.softplus]
    case "poisson", "gamma", "tweedie": stages = [.exponential]
    default:
      guard Self.asItIs.contains(name) else {
        throw ModelFault.unsupported(
          "LightGBM: the objective \(name.prefix(60))", place: "header",
          remedy: "known: binary, multiclass, multiclassova, cross_entropy, cross_entropy_lambda, poisson, gamma, "
            + "tweedie, regression and its relatives, lambdarank, rank_xendcg; take objective= out for raw scores")
      }
      stages = words.contains("sqrt") ? [.signedSquare] : []
    }
  }

  private static func setting(_ name: String, in words: [String]) throws(HeadraceError) -> Double? {
    guard let word = words.first(where: { $0.hasPrefix("\(name):") }) else { return nil }
    guard let number = Double(word.dropFirst(name.count + 1)), number.isFinite, number > 0 else {
      throw ModelFault.invalid("LightGBM: \(word.prefix(60))", place: "header")
    }
    return number
  }
}
