internal import Core

/// The trees of `TreeEnsemble`, ai.onnx.ml 5: inner nodes and leaves in lists of their own, a root for each tree.
struct ONNXTreesV5 {
  private let node: ONNXNode
  private let roots: [Int]
  private let features: [Int]
  private let modes: [Int]
  private let splits: [Float]
  private let yes: [Int]
  private let no: [Int]
  private let isYesLeaf: [Int]
  private let isNoLeaf: [Int]
  private let missingIsTrue: [Int]
  private let leafTargets: [Int]
  private let leafWeights: [Float]
  private let members: [Int: CategorySet]

  private static let modeNames = [
    "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER",
  ]
  private static let memberMode = 6

  init(_ node: ONNXNode) throws(HeadraceError) {
    self.node = node
    roots = node.integers("tree_roots")
    features = node.integers("nodes_featureids")
    modes = node.integers("nodes_modes")
    splits = node.floats("nodes_splits")
    yes = node.integers("nodes_truenodeids")
    no = node.integers("nodes_falsenodeids")
    isYesLeaf = node.integers("nodes_trueleafs")
    isNoLeaf = node.integers("nodes_falseleafs")
    missingIsTrue = node.integers("nodes_missing_value_tracks_true")
    leafTargets = node.integers("leaf_targetids")
    leafWeights = node.floats("leaf_weights")
    let count = features.count
    let lists = [modes.count, splits.count, yes.count, no.count, isYesLeaf.count, isNoLeaf.count]
    guard count > 0, lists.allSatisfy({ $0 == count }), missingIsTrue.isEmpty || missingIsTrue.count == count,
      leafWeights.count == leafTargets.count
    else { throw node.invalid("lists of different lengths: \(count) nodes_featureids") }
    members = try Self.members(node, modes)
  }

  /// The lists of members, one after the other with NaN between them, in the order of the nodes.
  private static func members(_ node: ONNXNode, _ modes: [Int]) throws(HeadraceError) -> [Int: CategorySet] {
    let values = node.floats("membership_values")
    let lists = values.split(omittingEmptySubsequences: false) { $0.isNaN }
    var sets: [Int: CategorySet] = [:]
    var next = 0
    for (index, mode) in modes.enumerated() where mode == memberMode {
      guard next < lists.count else { throw node.invalid("too few membership_values") }
      var categories: [Int32] = []
      for value in lists[next] {
        guard let category = Int32(exactly: value), category >= 0 else {
          throw node.unsupported("the member \(value)", remedy: "members are integers from 0 on")
        }
        categories.append(category)
      }
      sets[index] = CategorySet(categories)
      next += 1
    }
    return sets
  }

  func trees() throws(HeadraceError) -> [DecisionTree] {
    var isTaken = [Bool](repeating: false, count: features.count)
    var trees: [DecisionTree] = []
    for (index, root) in roots.enumerated() {
      do throws(HeadraceError) { trees.append(try tree(root, &isTaken)) } catch {
        throw error.at("\(node.place) tree \(index)")
      }
    }
    return trees
  }

  private func tree(_ root: Int, _ isTaken: inout [Bool]) throws(HeadraceError) -> DecisionTree {
    var nodes: [DecisionTree.Node] = []
    var leaves: [[(target: Int, weight: Float)]] = []
    var open: [(index: Int, isLeaf: Bool)] = [(root, false)]
    var next = 0
    while next < open.count {
      let (index, isLeaf) = open[next]
      next += 1
      if isLeaf {
        guard leafTargets.indices.contains(index) else { throw ModelFault.invalid("leaf \(index)") }
        nodes.append(.leaf(leaves.count))
        leaves.append([(leafTargets[index], leafWeights[index])])
        continue
      }
      guard isTaken.indices.contains(index), !isTaken[index] else {
        throw ModelFault.invalid("node \(index): out of range, or reached twice")
      }
      isTaken[index] = true
      // A tree of one leaf has a node whose both sides are that leaf.
      open.append((yes[index], isYesLeaf[index] != 0))
      open.append((no[index], isNoLeaf[index] != 0))
      nodes.append(try question(index).node(feature: features[index], yes: open.count - 2, no: open.count - 1))
    }
    return try DecisionTree(rootedAt: 0, nodes, leaves)
  }

  private func question(_ index: Int) throws(HeadraceError) -> ONNXQuestion {
    let isMissingTrue = !missingIsTrue.isEmpty && missingIsTrue[index] != 0
    if let set = members[index] { return ONNXQuestion(member: set, missingIsTrue: isMissingTrue) }
    guard Self.modeNames.indices.contains(modes[index]) else { throw ModelFault.invalid("mode \(modes[index])") }
    return try ONNXQuestion(Self.modeNames[modes[index]], splits[index], missingIsTrue: isMissingTrue)
  }
}
