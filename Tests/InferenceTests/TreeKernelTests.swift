import Core
import Testing

@testable import Inference

/// The kernels against plain code, to the bit, on every instruction set of this processor, row by row and in blocks.
@Suite struct TreeKernelTests {
  static let instructionSets = InstructionSet.allCases.filter { $0 <= .best }

  @Test(arguments: instructionSets, 0..<12)
  func `a random ensemble is scored as plain code scores it`(instructions: InstructionSet, index: Int) throws {
    let seed = UInt64(index) + 100
    var random = RandomEnsemble(seed: seed)
    random.precision = index % 2 == 0 ? .float64 : .float32
    random.rule = [.truncated, .notNegative, .exact][index % 3]
    random.outputCount = index % 4 == 3 ? 3 : 1
    random.hasVectorLeaves = index == 7
    random.leavesMax = [12, 40, 250, 256][index % 4]
    random.thresholdsPerFeature = [10, 200, 300, 5_000][index % 4]
    random.hasCategories = index % 5 != 0
    random.treeCount = index == 11 ? 70 : 9
    try check(random.make(), instructions, seed)
  }

  @Test(arguments: instructionSets)
  func `trees too large for a block are walked`(instructions: InstructionSet) throws {
    var random = RandomEnsemble(seed: 7)
    random.leavesMax = 3_000
    random.treeCount = 5
    random.outputCount = 2
    try check(random.make(), instructions, 7)
  }

  @Test(arguments: instructionSets)
  func `a tree of more nodes than 16 bits number is walked`(instructions: InstructionSet) throws {
    var random = RandomEnsemble(seed: 9)
    random.leavesMax = 70_000
    random.treeCount = 3
    random.thresholdsPerFeature = 5_000
    try check(random.make(), instructions, 9)
  }

  @Test func `rows of doubles are narrowed to the nearest floats`() throws {
    var random = RandomEnsemble(seed: 3)
    let ensemble = random.make()
    let compiled = try CompiledModel(Self.model(ensemble))
    let rowCount = 600
    let stride = ensemble.featureCount + 3
    let doubles = (0..<rowCount * stride).map { _ in Double.random(in: -3...3, using: &random.generator) }
    let floats = (0..<rowCount).flatMap { row in
      (0..<ensemble.featureCount).map { Float(doubles[row * stride + $0]) }
    }
    var expected = [Double](repeating: 0, count: rowCount)
    var found = expected
    var scorer = compiled.makeScorer()
    scorer.score(floats, rowCount: rowCount, into: &expected)
    unsafe doubles.withUnsafeBufferPointer { doubles in
      guard let start = doubles.baseAddress else { return }
      var span = found.mutableSpan
      unsafe scorer.score(narrowing: start, rowStride: stride, rowCount: rowCount, into: &span)
    }
    #expect(found == expected)
  }

  private static func model(_ ensemble: TreeEnsemble) -> Model {
    Model(
      format: .lightGBM, objective: "custom", body: .trees(ensemble, stages: []), featureCount: ensemble.featureCount,
      featureNames: [], outputCount: ensemble.outputCount)
  }

  private func check(_ ensemble: TreeEnsemble, _ instructions: InstructionSet, _ seed: UInt64) throws {
    try ensemble.validate()
    var options = CompileOptions()
    options.instructions = instructions
    let model = Self.model(ensemble)
    let compiled = try CompiledModel(model, options: options)
    let rowCount = 700
    let rows = ProbeRows(ensemble, rowCount: rowCount, seed: seed).values
    let reference = ReferenceScorer(model)
    let width = ensemble.featureCount
    let expected = (0..<rowCount).flatMap { reference.score(Array(rows[$0 * width..<($0 + 1) * width])) }
    var scorer = compiled.makeScorer()
    for batch in [1, 7, 33, 64, 130, 256, 700] {
      var found: [Double] = []
      for start in stride(from: 0, to: rowCount, by: batch) {
        let count = min(batch, rowCount - start)
        var scores = [Double](repeating: .nan, count: count * ensemble.outputCount)
        scorer.score(Array(rows[start * width..<(start + count) * width]), rowCount: count, into: &scores)
        found += scores
      }
      let wrong = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }
      #expect(wrong == nil, "seed \(seed), batch \(batch), row \((wrong?.offset ?? 0) / ensemble.outputCount)")
    }
  }
}
