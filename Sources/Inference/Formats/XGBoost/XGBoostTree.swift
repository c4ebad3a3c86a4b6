internal import Core

/// One tree of XGBoost's document: arrays over all nodes, leaves among them.
struct XGBoostTree {
  private let node: DocumentNode
  private let left: [Int]
  private let right: [Int]
  private let features: [Int]
  private let conditions: [Double]
  private let isDefaultLeft: [Double]
  private let isCategorical: [Int]
  private let covers: [Double]
  private let categories: [Int: CategorySet]

  private static let none = -1

  /// What dart does with a tree. The library predicts it alone, from the base margin on, and then takes the margin off
  /// again: both round.
  struct Dropout {
    var weight: Float
    var margin: Float

    func value(_ leaf: Float) -> Float { ((margin + leaf) - margin) * weight }
  }

  init(_ node: DocumentNode) throws(HeadraceError) {
    self.node = node
    if let parameters = try node.member("tree_param"),
      let width = try parameters.member("size_leaf_vector")?.looseInteger(in: 0...ModelLimit.outputsMax), width > 1
    {
      throw ModelFault.unsupported(
        "XGBoost: leaves that are vectors (multi_strategy=multi_output_tree)", place: node.path,
        remedy: "train with multi_strategy=one_output_per_tree")
    }
    left = try node.required("left_children").integers()
    right = try node.required("right_children").integers()
    features = try node.required("split_indices").integers()
    conditions = try node.required("split_conditions").numbers()
    isDefaultLeft = try node.required("default_left").numbers()
    isCategorical = try node.member("split_type")?.integers() ?? []
    let covers = try node.member("sum_hessian")?.numbers() ?? []
    self.covers = covers.count == left.count ? covers : []
    let count = left.count
    guard count > 0, count <= ModelLimit.nodesMax else { throw ModelFault.invalid("\(count) nodes", place: node.path) }
    guard right.count == count, features.count == count, conditions.count == count, isDefaultLeft.count == count,
      isCategorical.isEmpty || isCategorical.count == count
    else {
      throw ModelFault.invalid("arrays of different lengths: \(count) left children", place: node.path)
    }
    categories = isCategorical.contains(1) ? try Self.categories(node, nodeCount: count) : [:]
  }

  func tree(output: Int, dropout: Dropout?) throws(HeadraceError) -> DecisionTree {
    // Pruned nodes stay in the arrays: what is not reached is left out, and what is left is numbered anew.
    var nodes: [DecisionTree.Node] = []
    var values: [Double] = []
    var places: [Int] = [0]
    var isSeen = [Bool](repeating: false, count: left.count)
    isSeen[0] = true
    var next = 0
    while next < places.count {
      let old = places[next]
      next += 1
      if left[old] == Self.none {
        nodes.append(.leaf(values.count))
        let leaf = Float(conditions[old])
        values.append(Double(dropout?.value(leaf) ?? leaf))
        continue
      }
      for child in [left[old], right[old]] {
        guard left.indices.contains(child), !isSeen[child] else {
          throw ModelFault.invalid("child \(child) of node \(old): out of range, or reached twice", place: node.path)
        }
        isSeen[child] = true
        places.append(child)
      }
      let split = try split(old)
      // A member goes right in XGBoost, and left in `Split`: the two sides change places.
      let isMember = if case .isMember = split.test { true } else { false }
      nodes.append(.split(split, left: places.count - (isMember ? 1 : 2), right: places.count - (isMember ? 2 : 1)))
    }
    return DecisionTree(
      nodes: nodes, leafCount: values.count, outputs: [LeafOutput(output: output, values: values)],
      covers: covers.isEmpty ? [] : places.map { covers[$0] })
  }

  private func split(_ index: Int) throws(HeadraceError) -> Split {
    let missingGoesLeft = isDefaultLeft[index] != 0
    do throws(HeadraceError) {
      guard isCategorical.isEmpty || isCategorical[index] == 0 else {
        guard isCategorical[index] == 1, let set = categories[index] else {
          throw ModelFault.invalid("split_type \(isCategorical[index]) without categories")
        }
        return Split(feature: features[index], test: .isMember(set), missingGoesLeft: !missingGoesLeft)
      }
      return Split(
        feature: features[index], test: try Split.below(Float(conditions[index])), missingGoesLeft: missingGoesLeft)
    } catch {
      throw error.at("\(node.path) node \(index)")
    }
  }

  /// `categories` cut by segments, one for each of `categories_nodes`.
  private static func categories(_ node: DocumentNode, nodeCount: Int) throws(HeadraceError) -> [Int: CategorySet] {
    let all = try node.required("categories").integers()
    let nodes = try node.required("categories_nodes").integers()
    let starts = try node.required("categories_segments").integers()
    let sizes = try node.required("categories_sizes").integers()
    guard starts.count == nodes.count, sizes.count == nodes.count else {
      throw ModelFault.invalid("\(nodes.count) categories_nodes, \(starts.count) segments", place: node.path)
    }
    var sets: [Int: CategorySet] = [:]
    for (index, at) in nodes.enumerated() {
      let (start, size) = (starts[index], sizes[index])
      guard start >= 0, size >= 0, start <= all.count, size <= all.count - start, at >= 0, at < nodeCount else {
        throw ModelFault.invalid("category segment \(index) from \(start), \(size) long", place: node.path)
      }
      var members: [Int32] = []
      for category in all[start..<start + size] {
        guard let member = Int32(exactly: category), member >= 0, member < 1 << 24 else {
          throw ModelFault.invalid("the category \(category)", place: node.path)
        }
        members.append(member)
      }
      sets[at] = CategorySet(members)
    }
    return sets
  }
}
