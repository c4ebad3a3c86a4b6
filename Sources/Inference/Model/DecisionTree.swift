/// A binary tree. Node 0 is its root.
package struct DecisionTree: Sendable {
  package enum Node: Sendable, Equatable {
    case leaf(Int)
    case split(Split, left: Int, right: Int)
  }

  package var nodes: [Node]
  package var leafCount: Int
  /// Where a leaf's values go: one output for most libraries, several where a leaf holds a vector.
  package var outputs: [LeafOutput]
  /// By node: how much of the training set came there, in rows or in the sum of their second derivatives, as the library
  /// counts it. Scores do not depend on it, explanations do. Empty when the file does not say.
  package var covers: [Double]

  init(nodes: [Node], leafCount: Int, outputs: [LeafOutput], covers: [Double] = []) {
    self.nodes = nodes
    self.leafCount = leafCount
    self.outputs = outputs
    self.covers = covers
  }
}

/// What the leaves of a tree add to one output.
package struct LeafOutput: Sendable, Equatable {
  package var output: Int
  /// By leaf. Exact in the precision in which the ensemble adds.
  package var values: [Double]
}

/// A question about one feature; yes leads left.
package struct Split: Sendable, Equatable {
  package enum Test: Sendable, Equatable {
    /// value <= threshold. What a library compares as double, or as `<`, is this with another float, and as exact:
    /// values are float32.
    case atMost(Float)
    /// value == constant, and a missing value is not.
    case equals(Float)
    /// Whether there is a value at all: the only question left where a threshold is infinite.
    case isPresent
    /// Whether the value, as a category, is a member.
    case isMember(CategorySet)
  }

  package var feature: Int
  package var test: Test
  /// Where a missing value goes: NaN, and zero with `zeroIsMissing`.
  package var missingGoesLeft: Bool
  /// |x| <= 1e-35 counts as missing (LightGBM's `zero_as_missing`).
  package var zeroIsMissing = false

  init(feature: Int, test: Test, missingGoesLeft: Bool, zeroIsMissing: Bool = false) {
    self.feature = feature
    self.test = test
    self.missingGoesLeft = missingGoesLeft
    self.zeroIsMissing = zeroIsMissing
  }
}

/// Categories, ascending and each once.
package struct CategorySet: Sendable, Equatable {
  package var members: [Int32]

  /// Sorts, and drops what is there twice.
  init(_ categories: [Int32]) {
    var sorted = categories.sorted()
    var kept = 0
    for index in sorted.indices where index == 0 || sorted[index] != sorted[kept - 1] {
      sorted[kept] = sorted[index]
      kept += 1
    }
    sorted.removeLast(sorted.count - kept)
    members = sorted
  }

  func contains(_ category: Int32) -> Bool {
    var low = 0
    var high = members.count
    while low < high {
      let middle = (low + high) / 2
      if members[middle] < category { low = middle + 1 } else { high = middle }
    }
    return low < members.count && members[low] == category
  }
}

/// How a float becomes a category.
package enum CategoryRule: Sendable {
  /// Towards zero; what is negative then is no category (LightGBM).
  case truncated
  /// Towards zero; what is negative before is no category, and neither is 2^24 and more (XGBoost).
  case notNegative
  /// Only integers are categories (ONNX).
  case exact
}
