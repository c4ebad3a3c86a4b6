import Core

@testable import Inference

/// Ensembles as no library would train them: every kind of split, thresholds that are zero, denormal or huge, trees of
/// one leaf beside large ones.
struct RandomEnsemble {
  var generator: SplitMix64
  var featureCount = 5
  var treeCount = 9
  var leavesMax = 40
  var outputCount = 1
  var thresholdsPerFeature = 300
  var hasCategories = true
  /// Leaves that add to several outputs.
  var hasVectorLeaves = false
  var precision = TreeEnsemble.Precision.float64
  var rule = CategoryRule.truncated

  init(seed: UInt64) { generator = SplitMix64(seed: seed) }

  mutating func make() -> TreeEnsemble {
    var trees: [DecisionTree] = []
    let thresholds = (0..<thresholdsPerFeature).map { _ in threshold() }
    for _ in 0..<treeCount { trees.append(tree(thresholds)) }
    let starts = (0..<outputCount).map { _ in Double(Float.random(in: -1...1, using: &generator)) }
    return TreeEnsemble(
      featureCount: featureCount, outputCount: outputCount, trees: trees, starts: starts, precision: precision,
      categoryRule: rule)
  }

  private mutating func threshold() -> Float {
    let special: [Float] = [
      0, -0.0, .leastNonzeroMagnitude, -Float.leastNonzeroMagnitude * 1_000, 1e-35, .greatestFiniteMagnitude,
      -.greatestFiniteMagnitude, 1,
    ]
    return Int.random(in: 0..<8, using: &generator) == 0
      ? special[Int.random(in: special.indices, using: &generator)] : Float.random(in: -3...3, using: &generator)
  }

  private mutating func tree(_ thresholds: [Float]) -> DecisionTree {
    let leafCount = Int.random(in: 1...leavesMax, using: &generator)
    // Leaves that are split one after the other; places of nodes are shuffled by how they are chosen.
    var nodes: [DecisionTree.Node] = [.leaf(0)]
    var leaves = [0]
    while leaves.count < leafCount {
      let chosen = Int.random(in: leaves.indices, using: &generator)
      let place = leaves[chosen]
      nodes.append(.leaf(0))
      nodes.append(.leaf(0))
      nodes[place] = .split(split(thresholds), left: nodes.count - 1, right: nodes.count - 2)
      leaves[chosen] = nodes.count - 1
      leaves.append(nodes.count - 2)
    }
    for (leaf, place) in leaves.enumerated() { nodes[place] = .leaf(leaf) }
    let first = Int.random(in: 0..<outputCount, using: &generator)
    let outputs = hasVectorLeaves ? Array(0..<outputCount) : [first]
    return DecisionTree(
      nodes: nodes, leafCount: leafCount,
      outputs: outputs.map { output in
        LeafOutput(output: output, values: (0..<leafCount).map { _ in value() })
      })
  }

  private mutating func value() -> Double {
    switch precision {
    case .float64: Double.random(in: -1...1, using: &generator)
    case .float32: Double(Float.random(in: -1...1, using: &generator))
    }
  }

  private mutating func split(_ thresholds: [Float]) -> Split {
    let feature = Int.random(in: 0..<featureCount, using: &generator)
    let missingGoesLeft = Bool.random(using: &generator)
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: return Split(feature: feature, test: .equals(thresholds[0]), missingGoesLeft: missingGoesLeft)
    case 1: return Split(feature: feature, test: .isPresent, missingGoesLeft: missingGoesLeft)
    case 2...4 where hasCategories:
      let limit = feature == 0 ? 2_000 : 60
      let members = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
        Int32.random(in: 0..<Int32(limit), using: &generator)
      }
      return Split(feature: feature, test: .isMember(CategorySet(members)), missingGoesLeft: missingGoesLeft)
    default:
      let threshold = thresholds[Int.random(in: thresholds.indices, using: &generator)]
      return Split(
        feature: feature, test: .atMost(threshold), missingGoesLeft: missingGoesLeft,
        zeroIsMissing: Int.random(in: 0..<4, using: &generator) == 0)
    }
  }
}
