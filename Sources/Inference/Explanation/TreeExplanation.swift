internal import CKernels
internal import Core

/// What an ensemble needs to explain itself, compiled.
// Sendable: everything in the tables is written in `init` and only read from then on.
@safe
final class TreeExplanation: @unchecked Sendable {
  private let memory: NativeMemory
  private var tables: ckernels_explanation
  /// The trees of each output.
  private let treesOfOutput: [Range<Int>]
  private let baseValues: [Double]
  let scratchBytes: Int

  private static let scratchBytesMax = 1 << 30

  /// - Parameter stages: linear ones at the beginning belong to the margin.
  init(_ ensemble: TreeEnsemble, stages: [OutputStage], format: ModelFormat) throws(HeadraceError) {
    try Self.checkCovers(ensemble, format)
    var divisor = 1.0
    var baseValues = ensemble.starts
    var added = [Double](repeating: 0, count: ensemble.outputCount)
    stages: for stage in stages {
      switch stage {
      case .divide(let by):
        divisor *= by
        added = added.map { $0 / by }
      case .add(let values) where values.count == added.count:
        for index in added.indices { added[index] += values[index] }
      default: break stages
      }
    }
    var explained = ExplainedTrees()
    var treesOfOutput: [Range<Int>] = []
    for output in 0..<ensemble.outputCount {
      let first = explained.trees.count
      baseValues[output] /= divisor
      for tree in ensemble.trees {
        for leaves in tree.outputs where leaves.output == output {
          baseValues[output] += try explained.append(tree, values: leaves.values, divisor: divisor)
        }
      }
      baseValues[output] += added[output]
      treesOfOutput.append(first..<explained.trees.count)
    }
    self.treesOfOutput = treesOfOutput
    self.baseValues = baseValues
    var memory = NativeMemory()
    var tables = unsafe ckernels_explanation()
    unsafe Self.fill(&tables, explained, ensemble.categoryRule, &memory)
    scratchBytes = unsafe ckernels_explanation_scratch_bytes(&tables)
    guard scratchBytes <= Self.scratchBytesMax else {
      throw ModelFault.tooLarge("trees of depth \(explained.depthMax) take \(scratchBytes) bytes to explain")
    }
    unsafe self.tables = unsafe tables
    self.memory = memory
  }

  /// Adds contributions and base values to rows of zeros.
  func explain(
    _ matrix: UnsafePointer<Float>, featureCount: Int, rowCount: Int, instructions: InstructionSet,
    scratch: UnsafeMutableRawPointer, _ contributions: UnsafeMutablePointer<Double>
  ) {
    let width = baseValues.count * (featureCount + 1)
    unsafe withUnsafePointer(to: tables) { tables in
      for (output, trees) in treesOfOutput.enumerated() {
        let start = unsafe contributions + output * (featureCount + 1)
        unsafe ckernels_explain(
          instructions.rawValue, tables, UInt32(trees.lowerBound), UInt32(trees.count), matrix, featureCount, rowCount,
          scratch, start, width)
        for row in 0..<rowCount { unsafe start[row * width + featureCount] = baseValues[output] }
      }
    }
  }

  private static func checkCovers(_ ensemble: TreeEnsemble, _ format: ModelFormat) throws(HeadraceError) {
    for (index, tree) in ensemble.trees.enumerated() where tree.nodes.count > 1 {
      guard tree.covers.count == tree.nodes.count else {
        throw ExplanationFault.unsupported(
          "tree \(index) of the model (\(format.rawValue)) does not say how many rows of the training set came to each "
            + "node, and contributions are measured by that",
          remedy: format == .onnx
            ? "ONNX has no place for it: give rows to count, such as some hundred of the training set (in a request "
              + "the input `background` of shape [rows, features]), or explain the file that it was made from"
            : "save the model again with its library, or give rows to count as the input `background`")
      }
      guard tree.covers.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
        throw ExplanationFault.unsupported(
          "a node of tree \(index) has a cover that is no count", remedy: "save the model again with its library")
      }
    }
  }

  private static func fill(
    _ tables: inout ckernels_explanation, _ explained: ExplainedTrees, _ rule: CategoryRule,
    _ memory: inout NativeMemory
  ) {
    unsafe tables.tree_count = UInt32(explained.trees.count)
    unsafe tables.column_count = UInt32(explained.features.count)
    unsafe tables.category_rule = rule.native
    unsafe tables.depth_max = UInt32(explained.depthMax)
    unsafe tables.point_count_max = UInt32(explained.pointCountMax)
    unsafe tables.edge_count_max = UInt32(explained.edgeCountMax)
    unsafe tables.question_count_max = UInt32(explained.questionCountMax)
    unsafe tables.features = memory.copy(explained.features.map(UInt32.init))
    unsafe tables.trees = memory.copy(explained.trees)
    unsafe tables.questions = memory.copy(explained.questions)
    unsafe tables.members = memory.copy(explained.members)
    unsafe tables.edges = memory.copy(explained.edges)
    unsafe tables.points = memory.copy(explained.points)
    unsafe tables.inverses = memory.copy(explained.inverses)
    unsafe tables.leaves = memory.copy(explained.leaves)
  }
}
