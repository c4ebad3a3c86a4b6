internal import Core

extension TreeEnsemble {
  /// Makes sure of everything that a kernel relies on.
  ///
  /// - Throws: `MODEL_INVALID` or `MODEL_TOO_LARGE`, with tree and node.
  func validate() throws(HeadraceError) {
    guard featureCount <= ModelLimit.featuresMax else {
      throw ModelFault.tooLarge("\(featureCount) features, at most \(ModelLimit.featuresMax)")
    }
    guard outputCount > 0, outputCount <= ModelLimit.outputsMax, starts.count == outputCount else {
      throw ModelFault.invalid("\(outputCount) outputs with \(starts.count) starting values")
    }
    guard trees.count <= ModelLimit.treesMax else {
      throw ModelFault.tooLarge("\(trees.count) trees, at most \(ModelLimit.treesMax)")
    }
    guard starts.allSatisfy(\.isFinite) else { throw ModelFault.invalid("a starting value is not finite") }
    for index in trees.indices {
      do throws(HeadraceError) {
        try trees[index].validate(featureCount: featureCount, outputCount: outputCount)
      } catch {
        throw error.at("tree \(index)")
      }
    }
  }
}

extension DecisionTree {
  func validate(featureCount: Int, outputCount: Int) throws(HeadraceError) {
    guard !nodes.isEmpty, nodes.count <= ModelLimit.nodesMax else {
      throw ModelFault.invalid("\(nodes.count) nodes")
    }
    for output in outputs {
      guard output.output >= 0, output.output < outputCount else {
        throw ModelFault.invalid("output \(output.output), there are \(outputCount)")
      }
      guard output.values.count == leafCount else {
        throw ModelFault.invalid("\(output.values.count) leaf values for \(leafCount) leaves")
      }
      if let leaf = output.values.firstIndex(where: { !$0.isFinite }) {
        throw ModelFault.invalid("the value \(output.values[leaf]) is not finite", place: "leaf \(leaf)")
      }
    }
    try validateShape(featureCount: featureCount)
  }

  /// Every node is reached from the root exactly once, every leaf is there exactly once.
  private func validateShape(featureCount: Int) throws(HeadraceError) {
    var isReached = [Bool](repeating: false, count: nodes.count)
    var isLeafReached = [Bool](repeating: false, count: leafCount)
    var reachedCount = 0
    var open: [(node: Int, depth: Int)] = [(0, 0)]
    while let (index, depth) = open.popLast() {
      guard !isReached[index] else { throw ModelFault.invalid("is reached twice", place: "node \(index)") }
      isReached[index] = true
      reachedCount += 1
      guard depth <= ModelLimit.depthMax else {
        throw ModelFault.tooLarge("deeper than \(ModelLimit.depthMax)", place: "node \(index)")
      }
      switch nodes[index] {
      case .leaf(let leaf):
        guard leaf >= 0, leaf < leafCount, !isLeafReached[leaf] else {
          throw ModelFault.invalid("leaf \(leaf) of \(leafCount), or one that is there twice", place: "node \(index)")
        }
        isLeafReached[leaf] = true
      case .split(let split, let left, let right):
        do throws(HeadraceError) { try split.validate(featureCount: featureCount) } catch {
          throw error.at("node \(index)")
        }
        for child in [left, right] {
          guard nodes.indices.contains(child) else {
            throw ModelFault.invalid("child \(child), there are \(nodes.count) nodes", place: "node \(index)")
          }
          open.append((child, depth + 1))
        }
      }
    }
    guard reachedCount == nodes.count else {
      throw ModelFault.invalid("\(nodes.count - reachedCount) nodes are not reached from the root")
    }
    guard !isLeafReached.contains(false) else { throw ModelFault.invalid("a leaf is not reached from the root") }
  }
}

extension Split {
  func validate(featureCount: Int) throws(HeadraceError) {
    guard feature >= 0, feature < featureCount else {
      throw ModelFault.invalid("feature \(feature), there are \(featureCount)")
    }
    switch test {
    case .atMost(let threshold):
      guard threshold.isFinite else { throw ModelFault.invalid("the threshold \(threshold)") }
    case .equals(let value):
      guard !value.isNaN else { throw ModelFault.invalid("a comparison with NaN") }
    case .isMember(let categories):
      guard categories.members.first.map({ $0 >= 0 }) ?? true else { throw ModelFault.invalid("a negative category") }
    case .isPresent: break
    }
  }

  /// value <= threshold in double, for a value that is a float.
  ///
  /// - Throws: on NaN.
  static func atMost(_ threshold: Double) throws(HeadraceError) -> Test {
    guard !threshold.isNaN else { throw ModelFault.invalid("the threshold NaN") }
    var nearest = Float(threshold)
    if Double(nearest) > threshold { nearest = nearest.nextDown }
    return Self.test(atMost: nearest)
  }

  /// value < threshold.
  static func below(_ threshold: Float) throws(HeadraceError) -> Test {
    guard !threshold.isNaN else { throw ModelFault.invalid("the threshold NaN") }
    guard threshold > -.infinity else {
      throw ModelFault.invalid("the threshold -inf, below which there is nothing")
    }
    return Self.test(atMost: threshold.nextDown)
  }

  private static func test(atMost threshold: Float) -> Test {
    // Every value is at most infinity: only missing ones can go right. Minus infinity is a value like others.
    if threshold == .infinity { return .isPresent }
    return threshold == -.infinity ? .equals(-.infinity) : .atMost(threshold)
  }
}
