internal import CKernels
internal import Core

/// The tables of both kernels, as arrays.
struct TreeLayout {
  let columns: TreeColumns
  private(set) var trees: [ckernels_tree] = []
  private(set) var outputs: [ckernels_tree_output] = []
  private(set) var leaves: [Double] = []
  private(set) var steps: [ckernels_step] = []
  private(set) var groups: [ckernels_group] = []
  private(set) var members: [ckernels_member] = []
  private(set) var memberCountMax = 0
  private(set) var nodes: [ckernels_wide_node] = []
  private(set) var categoryBits: [UInt8] = []
  private(set) var walkOrder: [UInt32] = []
  private(set) var nodesAreWide = false
  private(set) var isBlockable = true

  private let featureCount: Int
  /// Steps of the group that is being filled, by tree.
  private var pending: [[ckernels_step]] = []
  private var groupMembers = 0

  private static let groupTrees = Int(CKERNELS_GROUP_TREES)
  private static let leafPadding = 64
  private static let categoryBitsBytesMax = 256 << 20
  private static let categoricalBit: UInt32 = 1 << 31

  init(_ ensemble: TreeEnsemble) throws(HeadraceError) {
    columns = try TreeColumns(ensemble)
    featureCount = ensemble.featureCount
    nodesAreWide = columnsOfWalk > 0x7fff || columns.orderedCategories.count > 0x7fff
    for index in ensemble.trees.indices { try append(ensemble.trees[index], index: index) }
    closeGroup(endTree: ensemble.trees.count)
    orderWalks()
  }

  /// The last one holds -infinity, for leaves.
  private var columnsOfWalk: Int {
    2 * featureCount + columns.orderedZeroKeys.count + columns.orderedTests.count + 1
  }

  private var firstMemberColumn: Int { columns.orderedRankKeys.count + columns.orderedTests.count }

  // MARK: One tree

  private mutating func append(_ tree: DecisionTree, index: Int) throws(HeadraceError) {
    if pending.count == Self.groupTrees { closeGroup(endTree: index) }
    let slots = Slots(tree)
    let root = nodes.count
    let bitsOfNode = try memberBits(tree)
    let depth = appendNodes(tree, slots, bitsOfNode)
    if nodes.count - root > 0xffff { nodesAreWide = true }
    if tree.leafCount > Int(CKERNELS_BLOCK_LEAVES_MAX) {
      isBlockable = false
    }
    if isBlockable { appendSteps(tree, slots, bitsOfNode) }
    let firstOutput = outputs.count
    for output in tree.outputs {
      outputs.append(ckernels_tree_output(output: UInt32(output.output), leaf_offset: UInt32(leaves.count)))
      var table = [Double](repeating: 0, count: Self.padded(tree.leafCount))
      for (leaf, value) in output.values.enumerated() { table[slots.ofLeaf[leaf]] = value }
      leaves += table
    }
    guard leaves.count <= UInt32.max, nodes.count <= UInt32.max else {
      throw ModelFault.tooLarge("\(nodes.count) nodes and \(leaves.count) leaf values")
    }
    trees.append(
      ckernels_tree(
        root: UInt32(root), depth: UInt32(depth), first_output: UInt32(firstOutput),
        output_count: UInt32(tree.outputs.count), leaf_count: UInt32(tree.leafCount)))
  }

  private static func padded(_ leafCount: Int) -> Int { (leafCount + leafPadding - 1) / leafPadding * leafPadding }

  /// Which leaf each node splits: a leaf that is split keeps its number for the left part, the right part of step k
  /// becomes leaf k + 1. Parents come first.
  private struct Slots {
    /// Inner nodes in the order of the steps.
    var order: [Int] = []
    var ofNode: [Int]
    var ofLeaf: [Int]

    init(_ tree: DecisionTree) {
      ofNode = [Int](repeating: 0, count: tree.nodes.count)
      ofLeaf = [Int](repeating: 0, count: tree.leafCount)
      var open = [0]
      while let index = open.popLast() {
        switch tree.nodes[index] {
        case .leaf(let leaf): ofLeaf[leaf] = ofNode[index]
        case .split(_, let left, let right):
          ofNode[left] = ofNode[index]
          ofNode[right] = order.count + 1
          order.append(index)
          open.append(right)
          open.append(left)
        }
      }
    }
  }

  // MARK: Walks

  /// Children next to each other; a leaf leads to itself.
  ///
  /// - Returns: the depth of the tree.
  private mutating func appendNodes(_ tree: DecisionTree, _ slots: Slots, _ bitsOfNode: [Int: UInt32]) -> Int {
    let root = nodes.count
    var open = [(node: 0, depth: 0)]
    var next = 0
    var depthMax = 0
    while next < open.count {
      let (index, depth) = open[next]
      depthMax = max(depthMax, depth)
      switch tree.nodes[index] {
      case .leaf(let leaf):
        nodes.append(
          ckernels_wide_node(
            threshold: Float(bitPattern: UInt32(slots.ofLeaf[leaf])), column: UInt32(columnsOfWalk - 1),
            left: UInt32(next)))
      case .split(let split, let left, let right):
        let (column, threshold) = walkColumn(split, bits: bitsOfNode[index] ?? 0)
        nodes.append(ckernels_wide_node(threshold: threshold, column: column, left: UInt32(open.count)))
        open.append((left, depth + 1))
        open.append((right, depth + 1))
      }
      next += 1
    }
    precondition(nodes.count == root + tree.nodes.count, "a checked tree reaches all of its nodes")
    return depthMax
  }

  private func walkColumn(_ split: Split, bits: UInt32) -> (column: UInt32, threshold: Float) {
    let column: Int
    switch split.test {
    case .atMost(let threshold):
      if split.zeroIsMissing {
        let key = TreeColumns.ZeroKey(feature: split.feature, missingGoesRight: !split.missingGoesLeft)
        column = 2 * featureCount + (columns.zeroColumns[key] ?? 0)
      } else {
        column = split.feature + (split.missingGoesLeft ? 0 : featureCount)
      }
      return (UInt32(column), threshold)
    case .equals, .isPresent:
      let test = TreeColumns.testKey(split).flatMap { columns.tests[$0] } ?? 0
      column = 2 * featureCount + columns.orderedZeroKeys.count + test
      return (UInt32(column), 0)
    case .isMember:
      return (UInt32(columns.categoryFeatures[split.feature] ?? 0) | Self.categoricalBit, Float(bitPattern: bits))
    }
  }

  /// Trees of about the same depth walk side by side: in chunks, so that sums can follow close behind.
  private mutating func orderWalks() {
    let chunk = Int(CKERNELS_WALK_CHUNK_TREES)
    for start in stride(from: 0, to: trees.count, by: chunk) {
      let range = start..<min(start + chunk, trees.count)
      walkOrder += range.sorted { (trees[$0].depth, $0) < (trees[$1].depth, $1) }.map(UInt32.init)
    }
  }

  // MARK: Steps

  private mutating func appendSteps(_ tree: DecisionTree, _ slots: Slots, _ bitsOfNode: [Int: UInt32]) {
    var list: [ckernels_step] = []
    for index in slots.order {
      guard case .split(let split, _, _) = tree.nodes[index] else { continue }
      var step = ckernels_step(column: 0, rank: -128, slot: UInt8(slots.ofNode[index]))
      if let (key, rank) = columns.rank(of: split) {
        step.column = UInt32(columns.rankColumns[key] ?? 0)
        step.rank = Int8(rank - 128)
      } else if let key = TreeColumns.testKey(split) {
        step.column = UInt32(columns.orderedRankKeys.count + (columns.tests[key] ?? 0))
      } else {
        step.column = UInt32(firstMemberColumn + groupMembers)
        groupMembers += 1
        members.append(
          ckernels_member(
            categories: UInt32(columns.categoryFeatures[split.feature] ?? 0), bits_offset: bitsOfNode[index] ?? 0))
      }
      list.append(step)
    }
    pending.append(list)
  }

  /// Steps of up to four trees, interleaved; what is missing at the end moves nothing.
  private mutating func closeGroup(endTree: Int) {
    guard !pending.isEmpty else { return }
    let count = pending.map(\.count).max() ?? 0
    groups.append(
      ckernels_group(
        first_tree: UInt32(endTree - pending.count), tree_count: UInt32(pending.count),
        step_offset: UInt32(steps.count), step_count: UInt32(count),
        first_member: UInt32(members.count - groupMembers), member_count: UInt32(groupMembers)))
    for step in 0..<count {
      for tree in 0..<Self.groupTrees {
        let isThere = tree < pending.count && step < pending[tree].count
        steps.append(isThere ? pending[tree][step] : ckernels_step(column: 0, rank: 127, slot: 0))
      }
    }
    memberCountMax = max(memberCountMax, groupMembers)
    groupMembers = 0
    pending.removeAll()
  }

  // MARK: Categories

  /// For each categorical node where its bits are: bit c says that code c goes right.
  private mutating func memberBits(_ tree: DecisionTree) throws(HeadraceError) -> [Int: UInt32] {
    var offsets: [Int: UInt32] = [:]
    for (index, node) in tree.nodes.enumerated() {
      guard case .split(let split, _, _) = node, case .isMember(let set) = split.test else { continue }
      let known = columns.orderedCategories[columns.categoryFeatures[split.feature] ?? 0].known
      var bits = [UInt8](repeating: 0, count: max(32, (known.count + 2 + 7) / 8))
      for (code, category) in known.enumerated() where !set.contains(category) { bits[code >> 3] |= 1 << (code & 7) }
      bits[known.count >> 3] |= 1 << (known.count & 7)
      let missing = known.count + 1
      if !split.missingGoesLeft { bits[missing >> 3] |= 1 << (missing & 7) }
      guard categoryBits.count + bits.count <= Self.categoryBitsBytesMax else {
        throw ModelFault.tooLarge("category sets of more than \(Self.categoryBitsBytesMax >> 20) MiB")
      }
      offsets[index] = UInt32(categoryBits.count)
      categoryBits += bits
    }
    return offsets
  }
}
