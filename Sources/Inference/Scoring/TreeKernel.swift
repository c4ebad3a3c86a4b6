internal import CKernels
internal import Core

/// An ensemble as the kernels want it. Immutable: any number of threads may score with it, each with its own scratch.
// Sendable: everything in the tables is written in `init` and only read from then on.
@safe
final class TreeKernel: @unchecked Sendable {
  private let memory: NativeMemory
  private var tables: ckernels_trees
  let outputCount: Int
  let scratchBytes: Int

  var sizeBytes: Int { memory.sizeBytes }

  init(_ ensemble: TreeEnsemble) throws(HeadraceError) {
    let layout = try TreeLayout(ensemble)
    outputCount = ensemble.outputCount
    var memory = NativeMemory()
    var tables = unsafe ckernels_trees()
    unsafe Self.fillCounts(&tables, layout, ensemble)
    unsafe Self.fillColumns(&tables, layout.columns, &memory)
    unsafe Self.fillTrees(&tables, layout, ensemble, &memory)
    if let rows = TreeRowTables(ensemble, layout.columns) { unsafe Self.fillRows(&tables, rows, ensemble, &memory) }
    scratchBytes = unsafe ckernels_trees_scratch_bytes(&tables)
    unsafe self.tables = unsafe tables
    self.memory = memory
  }

  /// - Parameters:
  ///   - matrix: `rowCount` rows of `rowStride` floats, checked by the caller.
  ///   - scratch: `scratchBytes`, aligned to a cache line.
  ///   - sums: `rowCount * outputCount`.
  func score(
    _ matrix: UnsafePointer<Float>, rowStride: Int, rowCount: Int, instructions: InstructionSet,
    scratch: UnsafeMutableRawPointer, sums: UnsafeMutablePointer<Double>
  ) {
    unsafe withUnsafePointer(to: tables) { tables in
      unsafe ckernels_score_trees(instructions.rawValue, tables, matrix, rowStride, rowCount, scratch, sums)
    }
  }

  private static func fillCounts(_ tables: inout ckernels_trees, _ layout: TreeLayout, _ ensemble: TreeEnsemble) {
    unsafe tables.feature_count = UInt32(ensemble.featureCount)
    unsafe tables.output_count = UInt32(ensemble.outputCount)
    unsafe tables.tree_count = UInt32(layout.trees.count)
    unsafe tables.group_count = UInt32(layout.groups.count)
    unsafe tables.rank_column_count = UInt32(layout.columns.orderedRankKeys.count)
    unsafe tables.test_count = UInt32(layout.columns.orderedTests.count)
    unsafe tables.categories_count = UInt32(layout.columns.orderedCategories.count)
    unsafe tables.member_count_max = UInt32(layout.memberCountMax)
    unsafe tables.zero_column_count = UInt32(layout.columns.orderedZeroKeys.count)
    unsafe tables.sums_are_float = ensemble.precision == .float32
    unsafe tables.nodes_are_wide = layout.nodesAreWide
    unsafe tables.block_rows_min = layout.isBlockable ? UInt32(blockRowsMin(layout)) : 0
  }

  /// From how many rows on a block of 64 is cheaper; the weights are what was measured with 31 to 200 leaves a tree.
  private static func blockRowsMin(_ layout: TreeLayout) -> Int {
    let blockCost = layout.groups.reduce(0) { $0 + Int($1.step_count) * 4 } + layout.trees.count * 40
    let walkCost = layout.trees.reduce(0) { $0 + Int($1.depth) } + layout.trees.count * 2
    return min(max(2, blockCost * 3 / 2 / max(walkCost, 1)), 64)
  }

  private static func fillColumns(_ tables: inout ckernels_trees, _ columns: TreeColumns, _ memory: inout NativeMemory)
  {
    var rankers: [ckernels_ranker] = []
    var thresholds: [Float] = []
    for (index, key) in columns.orderedRankKeys.enumerated() {
      if let last = rankers.last, Int(last.feature) == key.feature {
        rankers[rankers.count - 1].column_count += 1
      } else {
        var ranker = ckernels_ranker()
        ranker.feature = UInt32(key.feature)
        ranker.first_column = UInt32(index)
        ranker.column_count = 1
        appendLevels(of: columns.thresholds[key.feature] ?? [], to: &thresholds, &ranker)
        rankers.append(ranker)
      }
    }
    unsafe tables.ranker_count = UInt32(rankers.count)
    unsafe tables.rankers = memory.copy(rankers)
    unsafe tables.thresholds = memory.copy(thresholds)
    unsafe tables.rank_columns = memory.copy(
      columns.orderedRankKeys.map { key in
        ckernels_rank_column(
          base: UInt32(key.window * TreeColumns.ranksOfWindow), missing_goes_right: key.missingGoesRight,
          zero_is_missing: key.zeroIsMissing)
      })
    unsafe tables.tests = memory.copy(
      columns.orderedTests.map { key in
        ckernels_test(
          feature: UInt32(key.feature), value: Float(bitPattern: key.valueBits), zero_is_missing: key.zeroIsMissing,
          missing_goes_right: key.missingGoesRight, equal_goes_right: key.equalGoesRight,
          other_goes_right: key.otherGoesRight)
      })
    unsafe tables.zero_columns = memory.copy(
      columns.orderedZeroKeys.map { UInt32($0.feature) | ($0.missingGoesRight ? 1 << 31 : 0) })
  }

  /// The thresholds and, above them, every sixteenth of the level below.
  private static func appendLevels(of sorted: [Float], to all: inout [Float], _ ranker: inout ckernels_ranker) {
    func padded(_ values: [Float], spare: Int) -> [Float] {
      values + [Float](repeating: .infinity, count: (values.count + spare + 15) / 16 * 16 - values.count)
    }
    var levels = [padded(sorted, spare: 1)]
    while let lowest = levels.first, lowest.count > 16 {
      levels.insert(padded(stride(from: 15, to: lowest.count, by: 16).map { lowest[$0] }, spare: 0), at: 0)
    }
    ranker.level_count = UInt32(levels.count)
    unsafe withUnsafeMutableBytes(of: &ranker.level_offsets) { raw in
      let offsets = unsafe raw.bindMemory(to: UInt32.self)
      for (index, level) in levels.enumerated() {
        unsafe offsets[index] = UInt32(all.count)
        all += level
      }
    }
  }

  private static func fillTrees(
    _ tables: inout ckernels_trees, _ layout: TreeLayout, _ ensemble: TreeEnsemble, _ memory: inout NativeMemory
  ) {
    unsafe fillCategories(&tables, layout.columns.orderedCategories, ensemble.categoryRule, &memory)
    unsafe tables.category_bits = memory.copy(layout.categoryBits)
    unsafe tables.members = memory.copy(layout.members)
    unsafe tables.groups = memory.copy(layout.groups)
    unsafe tables.steps = memory.copy(layout.isBlockable ? layout.steps : [])
    unsafe tables.trees = memory.copy(layout.trees)
    unsafe tables.tree_outputs = memory.copy(layout.outputs)
    unsafe tables.walk_order = memory.copy(layout.walkOrder)
    unsafe tables.starts = memory.copy(ensemble.starts)
    switch ensemble.precision {
    case .float32: unsafe tables.leaves = UnsafeRawPointer(memory.copy(layout.leaves.map(Float.init)))
    case .float64: unsafe tables.leaves = UnsafeRawPointer(memory.copy(layout.leaves))
    }
    if layout.nodesAreWide {
      unsafe tables.wide_nodes = memory.copy(layout.nodes)
    } else {
      unsafe tables.nodes = memory.copy(
        layout.nodes.map { node in
          let mark: UInt16 = node.column >> 31 == 0 ? 0 : 0x8000
          return ckernels_node(
            threshold: node.threshold, column: UInt16(node.column & 0x7fff) | mark, left: UInt16(node.left))
        })
    }
  }

  private static func fillRows(
    _ tables: inout ckernels_trees, _ rows: TreeRowTables, _ ensemble: TreeEnsemble, _ memory: inout NativeMemory
  ) {
    unsafe tables.row_nodes_max = UInt32(rows.nodesMax)
    unsafe tables.row_columns = memory.copy(rows.columns)
    unsafe tables.row_ranks = memory.copy(rows.ranks)
    unsafe tables.row_cuts = memory.copy(rows.cuts)
    unsafe tables.row_outputs = memory.copy(rows.outputs)
    switch ensemble.precision {
    case .float32: unsafe tables.row_leaves = UnsafeRawPointer(memory.copy(rows.leaves.map(Float.init)))
    case .float64: unsafe tables.row_leaves = UnsafeRawPointer(memory.copy(rows.leaves))
    }
  }

  private static func fillCategories(
    _ tables: inout ckernels_trees, _ categories: [(feature: Int, known: [Int32])], _ rule: CategoryRule,
    _ memory: inout NativeMemory
  ) {
    var known: [Int32] = []
    var codes: [UInt16] = []
    var list: [ckernels_categories] = []
    for (feature, members) in categories {
      var entry = ckernels_categories()
      entry.feature = UInt32(feature)
      entry.rule = rule.native
      entry.first_known = UInt32(known.count)
      entry.known_count = UInt32(members.count)
      // A table by category where it stays within the size of what the file names.
      if let last = members.last, Int(last) < 16 * members.count + 1_024 {
        entry.first_dense = UInt32(codes.count)
        entry.dense_count = UInt32(last) + 1
        var table = [UInt16](repeating: UInt16(members.count), count: Int(last) + 1)
        for (code, category) in members.enumerated() { table[Int(category)] = UInt16(code) }
        codes += table
      }
      known += members
      list.append(entry)
    }
    unsafe tables.categories = memory.copy(list)
    unsafe tables.known_categories = memory.copy(known)
    unsafe tables.category_codes = memory.copy(codes)
  }
}

extension CategoryRule {
  var native: UInt32 {
    switch self {
    case .truncated: UInt32(CKERNELS_CATEGORY_TRUNCATED)
    case .notNegative: UInt32(CKERNELS_CATEGORY_NOT_NEGATIVE)
    case .exact: UInt32(CKERNELS_CATEGORY_EXACT)
    }
  }
}
