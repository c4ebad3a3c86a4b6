internal import Core

/// The trees of `TreeEnsembleClassifier` and `TreeEnsembleRegressor`, ai.onnx.ml 1 to 3: parallel lists over all nodes
/// of all trees, and lists of what leaves add to which target.
struct ONNXTrees {
  private let node: ONNXNode
  private let treeIDs: [Int]
  private let nodeIDs: [Int]
  private let features: [Int]
  private let modes: [String]
  private let values: [Float]
  private let trueIDs: [Int]
  private let falseIDs: [Int]
  private let missingIsTrue: [Int]
  /// By position in the lists: pairs of target and weight.
  private var weights: [[(target: Int, weight: Float)]]

  /// - Parameter prefix: `class` or `target`, of the lists of leaves.
  init(_ node: ONNXNode, prefix: String) throws(HeadraceError) {
    self.node = node
    treeIDs = node.integers("nodes_treeids")
    nodeIDs = node.integers("nodes_nodeids")
    features = node.integers("nodes_featureids")
    modes = node.attribute("nodes_modes")?.texts ?? []
    values = node.floats("nodes_values")
    trueIDs = node.integers("nodes_truenodeids")
    falseIDs = node.integers("nodes_falsenodeids")
    missingIsTrue = node.integers("nodes_missing_value_tracks_true")
    let count = treeIDs.count
    guard count > 0, nodeIDs.count == count, features.count == count, modes.count == count, values.count == count,
      trueIDs.count == count, falseIDs.count == count, missingIsTrue.isEmpty || missingIsTrue.count == count
    else { throw node.invalid("lists of different lengths: \(count) nodes_treeids") }
    weights = Array(repeating: [], count: count)
    let leafTrees = node.integers("\(prefix)_treeids")
    let leafNodes = node.integers("\(prefix)_nodeids")
    let targets = node.integers("\(prefix)_ids")
    let list = node.floats("\(prefix)_weights")
    guard leafNodes.count == leafTrees.count, targets.count == leafTrees.count, list.count == leafTrees.count else {
      throw node.invalid("lists of different lengths: \(leafTrees.count) \(prefix)_treeids")
    }
    let positions = try positionsByID()
    for index in leafTrees.indices {
      guard let position = positions[ID(tree: leafTrees[index], node: leafNodes[index])] else {
        throw node.invalid("\(prefix)_nodeids \(leafNodes[index]) of tree \(leafTrees[index]) is no node")
      }
      weights[position].append((targets[index], list[index]))
    }
  }

  private struct ID: Hashable {
    var tree: Int
    var node: Int
  }

  private func positionsByID() throws(HeadraceError) -> [ID: Int] {
    var positions: [ID: Int] = [:]
    for index in treeIDs.indices {
      guard positions.updateValue(index, forKey: ID(tree: treeIDs[index], node: nodeIDs[index])) == nil else {
        throw node.invalid("node \(nodeIDs[index]) of tree \(treeIDs[index]) is there twice")
      }
    }
    return positions
  }

  /// Which targets have weights at all, and whether no weight is negative.
  var targetsWithWeights: Set<Int> { Set(weights.flatMap { $0.map(\.target) }) }
  var hasNoNegativeWeight: Bool { weights.allSatisfy { $0.allSatisfy { $0.weight >= 0 } } }

  func trees() throws(HeadraceError) -> [DecisionTree] {
    let positions = try positionsByID()
    var order: [Int] = []
    var members: [Int: [Int]] = [:]
    for (index, tree) in treeIDs.enumerated() {
      if members[tree] == nil { order.append(tree) }
      members[tree, default: []].append(index)
    }
    var trees: [DecisionTree] = []
    for id in order {
      do throws(HeadraceError) {
        trees.append(try tree(id, members[id] ?? [], positions))
      } catch {
        throw error.at("\(node.place) tree \(id)")
      }
    }
    return trees
  }

  private func tree(_ id: Int, _ members: [Int], _ positions: [ID: Int]) throws(HeadraceError) -> DecisionTree {
    var places: [Int: Int] = [:]
    for (place, position) in members.enumerated() { places[position] = place }
    func place(_ child: Int) throws(HeadraceError) -> Int {
      guard let position = positions[ID(tree: id, node: child)], let place = places[position] else {
        throw ModelFault.invalid("child \(child) is no node")
      }
      return place
    }
    var nodes: [DecisionTree.Node] = []
    var leaves: [[(target: Int, weight: Float)]] = []
    var isChild = [Bool](repeating: false, count: members.count)
    for position in members {
      if modes[position] == "LEAF" {
        nodes.append(.leaf(leaves.count))
        leaves.append(weights[position])
        continue
      }
      let yes = try place(trueIDs[position])
      let no = try place(falseIDs[position])
      isChild[yes] = true
      isChild[no] = true
      let question = try ONNXQuestion(modes[position], values[position], missingIsTrue: isMissingTrue(position))
      nodes.append(question.node(feature: features[position], yes: yes, no: no))
    }
    guard let root = isChild.firstIndex(of: false) else { throw ModelFault.invalid("a tree without a root") }
    return try DecisionTree(rootedAt: root, nodes, leaves)
  }

  private func isMissingTrue(_ position: Int) -> Bool { !missingIsTrue.isEmpty && missingIsTrue[position] != 0 }
}

/// A comparison as ONNX names it, and what it is as a `Split`.
struct ONNXQuestion {
  private let test: Split.Test
  /// Yes to the split's question is no to this one.
  private let isNegated: Bool
  private let missingIsYes: Bool

  init(_ mode: String, _ value: Float, missingIsTrue: Bool) throws(HeadraceError) {
    var missingIsTrue = missingIsTrue
    switch mode {
    case "BRANCH_LEQ": (test, isNegated) = (try Split.atMost(Double(value)), false)
    case "BRANCH_LT": (test, isNegated) = (try Split.below(value), false)
    case "BRANCH_GT": (test, isNegated) = (try Split.atMost(Double(value)), true)
    case "BRANCH_GTE": (test, isNegated) = (try Split.below(value), true)
    case "BRANCH_EQ": (test, isNegated) = (.equals(value), false)
    // NaN is not equal to anything.
    case "BRANCH_NEQ": (test, isNegated, missingIsTrue) = (.equals(value), true, true)
    default:
      throw ModelFault.unsupported(
        "ONNX: the mode \(mode.prefix(40))", remedy: "known: BRANCH_LEQ, LT, GT, GTE, EQ, NEQ, MEMBER, LEAF")
    }
    missingIsYes = missingIsTrue
  }

  init(member values: CategorySet, missingIsTrue: Bool) {
    test = .isMember(values)
    isNegated = false
    missingIsYes = missingIsTrue
  }

  func node(feature: Int, yes: Int, no: Int) -> DecisionTree.Node {
    let split = Split(feature: feature, test: test, missingGoesLeft: missingIsYes != isNegated)
    return .split(split, left: isNegated ? no : yes, right: isNegated ? yes : no)
  }
}

extension DecisionTree {
  /// Puts the root first, and the leaves' weights in tables by output.
  ///
  /// - Throws: when a few weights would make tables far larger than themselves.
  init(
    rootedAt root: Int, _ nodes: [Node], _ leaves: [[(target: Int, weight: Float)]]
  ) throws(HeadraceError) {
    let targets = Set(leaves.flatMap { $0.map(\.target) })
    let weightCount = leaves.reduce(0) { $0 + $1.count }
    guard targets.count <= (64 * weightCount + (1 << 16)) / max(leaves.count, 1) else {
      throw ModelFault.tooLarge("\(weightCount) weights for \(leaves.count) leaves and \(targets.count) targets")
    }
    func moved(_ index: Int) -> Int { index == root ? 0 : index == 0 ? root : index }
    var ordered = nodes
    ordered.swapAt(0, root)
    for index in ordered.indices {
      guard case .split(let split, let left, let right) = ordered[index] else { continue }
      ordered[index] = .split(split, left: moved(left), right: moved(right))
    }
    var tables: [Int: [Float]] = [:]
    for (leaf, weights) in leaves.enumerated() {
      for (target, weight) in weights {
        tables[target, default: [Float](repeating: 0, count: leaves.count)][leaf] += weight
      }
    }
    let outputs = tables.keys.sorted().map { LeafOutput(output: $0, values: (tables[$0] ?? []).map(Double.init)) }
    self.init(nodes: ordered, leafCount: leaves.count, outputs: outputs)
  }
}
