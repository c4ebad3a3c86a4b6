internal import Core

extension ONNXLowering {
  mutating func treeRegressor(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let targets = node.integer("n_targets", default: 1)
    guard targets > 0, targets <= ModelLimit.outputsMax else { throw node.invalid("\(targets) targets") }
    let isNewest = node.kind == "TreeEnsemble"
    let trees = try isNewest ? ONNXTreesV5(node).trees() : ONNXTrees(node, prefix: "target").trees()
    var stages: [OutputStage] = []
    let aggregate =
      isNewest
      ? Self.aggregates[node.integer("aggregate_function", default: 1)] ?? ""
      : node.text("aggregate_function", default: "SUM")
    switch aggregate {
    case "SUM": break
    case "AVERAGE": stages.append(.divide(by: Double(max(trees.count, 1))))
    default: throw node.unsupported("aggregate_function \(aggregate)", remedy: "known: SUM, AVERAGE")
    }
    stages += try base(node, count: targets)
    let transform =
      isNewest
      ? Self.transforms[node.integer("post_transform", default: 0)] ?? "" : node.text("post_transform", default: "NONE")
    stages += try self.stages(node, transform)
    return try ensemble(node, trees, outputs: targets, stages)
  }

  private static let aggregates = [0: "AVERAGE", 1: "SUM", 2: "MIN", 3: "MAX"]
  private static let transforms = [0: "NONE", 1: "SOFTMAX", 2: "LOGISTIC", 3: "SOFTMAX_ZERO", 4: "PROBIT"]

  mutating func treeClassifier(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let classes = max(
      node.attribute("classlabels_int64s")?.integers.count ?? 0,
      node.attribute("classlabels_strings")?.texts.count ?? 0)
    guard classes > 0, classes <= ModelLimit.outputsMax else { throw node.invalid("\(classes) classes") }
    let lists = try ONNXTrees(node, prefix: "class")
    let transform = node.text("post_transform", default: "NONE")
    let bases = node.floats("base_values")
    let withWeights = lists.targetsWithWeights
    var trees = try lists.trees()
    guard classes == 2, withWeights.count == 1, bases.count != 2 else {
      return try ensemble(
        node, trees, outputs: classes, try base(node, count: classes) + stages(node, transform))
    }
    // Two classes of which one has weights: its sum decides what the other one gets.
    for index in trees.indices {
      for output in trees[index].outputs.indices { trees[index].outputs[output].output = 0 }
    }
    let kind: OutputStage.TwoClasses =
      lists.hasNoNegativeWeight ? .complement : transform == "LOGISTIC" ? .logistic : .negation
    guard transform != "PROBIT" else { throw node.unsupported("PROBIT of one of two classes", remedy: "use LOGISTIC") }
    return try ensemble(node, trees, outputs: 1, base(node, count: 1) + [.twoClasses(kind)])
  }

  private func base(_ node: ONNXNode, count: Int) throws(HeadraceError) -> [OutputStage] {
    let values = node.floats("base_values")
    guard !values.isEmpty else { return [] }
    guard values.count == count, values.allSatisfy(\.isFinite) else {
      throw node.invalid("\(values.count) base values for \(count) outputs")
    }
    return [.add(values.map(Double.init))]
  }

  private func stages(_ node: ONNXNode, _ transform: String) throws(HeadraceError) -> [OutputStage] {
    switch transform {
    case "NONE": []
    case "LOGISTIC": [.sigmoid(scale: 1)]
    case "SOFTMAX": [.softmax]
    case "SOFTMAX_ZERO": [.softmaxOfNonzero]
    case "PROBIT": [.probit]
    default: throw node.invalid("post_transform \(transform.prefix(40))")
    }
  }

  private mutating func ensemble(
    _ node: ONNXNode, _ trees: [DecisionTree], outputs: Int, _ stages: [OutputStage]
  ) throws(HeadraceError) -> Int {
    let input = try row(node)
    let ensemble = TreeEnsemble(
      featureCount: widths[input], outputCount: outputs, trees: trees, starts: [Double](repeating: 0, count: outputs),
      precision: .float32, categoryRule: .exact)
    do throws(HeadraceError) { try ensemble.validate() } catch { throw error.at(node.place) }
    let width = stages.reduce(outputs) { $1.width(after: $0) }
    return append(.trees(ensemble, stages: stages), [input], width: width)
  }
}
