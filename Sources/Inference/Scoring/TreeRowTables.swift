internal import CKernels

/// The tables by which all nodes of a small tree are decided at once for one row (QuickScorer, Lucchese et al. 2015):
/// for each node the leaves of its left side, which are cut off when the row goes right. The first leaf from the left
/// that nobody cut off is the row's.
struct TreeRowTables {
  private(set) var columns: [UInt8] = []
  private(set) var ranks: [Int8] = []
  private(set) var cuts: [UInt64] = []
  private(set) var leaves: [Double] = []
  private(set) var outputs: [UInt32] = []
  /// Nodes of the largest tree, at least 1.
  private(set) var nodesMax = 1

  private static let width = Int(CKERNELS_ROW_NODES)

  /// nil when the trees are too large, have categories, or leaves that add to several outputs.
  init?(_ ensemble: TreeEnsemble, _ known: TreeColumns) {
    let columnCount = known.orderedRankKeys.count + known.orderedTests.count
    guard columnCount <= CKERNELS_ROW_COLUMNS_MAX, known.orderedCategories.isEmpty, !ensemble.trees.isEmpty,
      ensemble.trees.allSatisfy({ $0.leafCount <= Self.width && $0.outputs.count == 1 })
    else { return nil }
    for tree in ensemble.trees { append(tree, known) }
  }

  private mutating func append(_ tree: DecisionTree, _ known: TreeColumns) {
    let start = columns.count
    columns += [UInt8](repeating: 0, count: Self.width)
    // Nothing is above 127: what is no node cuts nothing off.
    ranks += [Int8](repeating: 127, count: Self.width)
    cuts += [UInt64](repeating: 0, count: Self.width)
    leaves += [Double](repeating: 0, count: Self.width)
    outputs.append(UInt32(tree.outputs[0].output))
    var nodeCount = 0
    var leafCount = 0
    _ = fill(0)
    nodesMax = max(nodesMax, nodeCount)

    /// From left to right; gives the leaves below the node.
    func fill(_ index: Int) -> UInt64 {
      switch tree.nodes[index] {
      case .leaf(let leaf):
        leaves[start + leafCount] = tree.outputs[0].values[leaf]
        leafCount += 1
        return 1 << UInt64(leafCount - 1)
      case .split(let split, let left, let right):
        let at = start + nodeCount
        nodeCount += 1
        (columns[at], ranks[at]) = Self.decision(split, known)
        let onTheLeft = fill(left)
        cuts[at] = onTheLeft
        return onTheLeft | fill(right)
      }
    }
  }

  private static func decision(_ split: Split, _ known: TreeColumns) -> (column: UInt8, rank: Int8) {
    if let (key, rank) = known.rank(of: split) { return (UInt8(known.rankColumns[key] ?? 0), Int8(rank - 128)) }
    let test = TreeColumns.testKey(split).flatMap { known.tests[$0] } ?? 0
    return (UInt8(known.orderedRankKeys.count + test), -128)
  }
}
