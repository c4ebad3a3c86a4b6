internal import Core

/// One tree of LightGBM's text. Inner nodes and leaves are numbered apart: a child below zero is leaf ~child.
struct LightGBMTree {
  private let reader: LightGBMReader
  private let block: LightGBMReader.Block
  private let leafCount: Int

  /// Bits of `decision_type`.
  private enum DecisionBits {
    static let categorical = 1
    static let defaultLeft = 2
    static let missingShift = 2
    static let all = 0b1111
  }

  private enum Missing: Int { case none, zero, nan }

  init(reader: LightGBMReader, block: LightGBMReader.Block) throws(HeadraceError) {
    self.reader = reader
    self.block = block
    guard let leaves = try reader.integer("num_leaves", in: block, from: 1...ModelLimit.nodesMax / 2) else {
      throw ModelFault.unreadable("LightGBM: num_leaves is missing", place: "byte \(block.offset)")
    }
    leafCount = leaves
    if let isLinear = try reader.integer("is_linear", in: block, from: 0...1), isLinear == 1 {
      throw ModelFault.unsupported(
        "LightGBM: linear_tree: leaves that are linear models", place: "byte \(block.offset)",
        remedy: "train with linear_tree=false")
    }
  }

  func tree(output: Int) throws(HeadraceError) -> DecisionTree {
    let values = try list("leaf_value", leafCount)
    let outputs = [LeafOutput(output: output, values: values)]
    guard leafCount > 1 else { return DecisionTree(nodes: [.leaf(0)], leafCount: 1, outputs: outputs) }
    let inner = leafCount - 1
    let features = try integers("split_feature", inner)
    let thresholds = try list("threshold", inner)
    let kinds = try integers("decision_type", inner)
    let left = try integers("left_child", inner)
    let right = try integers("right_child", inner)
    let sets = try categorySets()
    var nodes: [DecisionTree.Node] = []
    nodes.reserveCapacity(2 * leafCount - 1)
    for index in 0..<inner {
      do throws(HeadraceError) {
        let split = try split(features[index], thresholds[index], kinds[index], sets)
        nodes.append(.split(split, left: try child(left[index]), right: try child(right[index])))
      } catch {
        throw error.at("node \(index)")
      }
    }
    for leaf in 0..<leafCount { nodes.append(.leaf(leaf)) }
    return DecisionTree(nodes: nodes, leafCount: leafCount, outputs: outputs, covers: try covers())
  }

  /// Rows of the training set, by node; none when the file leaves them out.
  private func covers() throws(HeadraceError) -> [Double] {
    let inner = try reader.numbers("internal_count", in: block)
    let leaves = try reader.numbers("leaf_count", in: block)
    return inner.count == leafCount - 1 && leaves.count == leafCount ? inner + leaves : []
  }

  /// Leaves stand behind the inner nodes.
  private func child(_ number: Int) throws(HeadraceError) -> Int {
    let inner = leafCount - 1
    guard number >= -leafCount, number < inner else {
      throw ModelFault.invalid("child \(number), there are \(inner) nodes and \(leafCount) leaves")
    }
    return number >= 0 ? number : inner + ~number
  }

  private func split(
    _ feature: Int, _ threshold: Double, _ kind: Int, _ sets: [CategorySet]
  ) throws(HeadraceError) -> Split {
    guard kind & ~DecisionBits.all == 0, let missing = Missing(rawValue: kind >> DecisionBits.missingShift) else {
      throw ModelFault.invalid("decision_type \(kind)")
    }
    if kind & DecisionBits.categorical != 0 {
      guard let index = Int(exactly: threshold), sets.indices.contains(index) else {
        throw ModelFault.invalid("category set \(threshold), there are \(sets.count)")
      }
      return Split(feature: feature, test: .isMember(sets[index]), missingGoesLeft: false)
    }
    let test = try Split.atMost(Self.besideZero(threshold))
    let isDefaultLeft = kind & DecisionBits.defaultLeft != 0
    switch missing {
    // NaN is read as zero.
    case .none: return Split(feature: feature, test: test, missingGoesLeft: threshold >= 0)
    case .nan: return Split(feature: feature, test: test, missingGoesLeft: isDefaultLeft)
    case .zero: return Split(feature: feature, test: test, missingGoesLeft: isDefaultLeft, zeroIsMissing: true)
    }
  }

  /// LightGBM reads a value no farther from zero than 1e-35 as zero: a threshold in there stands on one side of them
  /// all.
  private static func besideZero(_ threshold: Double) -> Double {
    let zero: Float = 1e-35
    guard threshold.magnitude <= Double(zero) else { return threshold }
    return Double(threshold < 0 ? (-zero).nextDown : zero)
  }

  /// Bit sets of 32-bit words; `cat_boundaries` cuts them apart.
  private func categorySets() throws(HeadraceError) -> [CategorySet] {
    guard let count = try reader.integer("num_cat", in: block, from: 0...ModelLimit.nodesMax), count > 0 else {
      return []
    }
    let boundaries = try integers("cat_boundaries", count + 1)
    let words = try reader.integers("cat_threshold", in: block)
    var sets: [CategorySet] = []
    for index in 0..<count {
      let (start, end) = (boundaries[index], boundaries[index + 1])
      guard start >= 0, start <= end, end <= words.count else {
        throw reader.invalid(
          "cat_boundaries \(start) to \(end), there are \(words.count) words", block, "cat_boundaries")
      }
      var members: [Int32] = []
      for position in start..<end {
        guard var word = UInt32(exactly: words[position]), position - start < 1 << 26 else {
          throw reader.invalid("cat_threshold \(words[position])", block, "cat_threshold")
        }
        while word != 0 {
          members.append(Int32((position - start) * 32 + word.trailingZeroBitCount))
          word &= word - 1
        }
      }
      sets.append(CategorySet(members))
    }
    return sets
  }

  private func list(_ key: String, _ count: Int) throws(HeadraceError) -> [Double] {
    let numbers = try reader.numbers(key, in: block)
    guard numbers.count == count else {
      throw reader.invalid("\(numbers.count) values of \(key), expected \(count)", block, key)
    }
    return numbers
  }

  private func integers(_ key: String, _ count: Int) throws(HeadraceError) -> [Int] {
    let numbers = try reader.integers(key, in: block)
    guard numbers.count == count else {
      throw reader.invalid("\(numbers.count) values of \(key), expected \(count)", block, key)
    }
    return numbers
  }
}
