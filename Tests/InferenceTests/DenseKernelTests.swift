import Core
import Glibc
import Testing

@testable import Inference

/// Dense layers of every width against double sums: float32 sums differ by no more than their length allows.
@Suite struct DenseKernelTests {
  @Test(arguments: TreeKernelTests.instructionSets, CompileOptions.Weights.allCases)
  func `layers of every width agree with plain code`(
    instructions: InstructionSet, weights: CompileOptions.Weights
  ) throws {
    var generator = SplitMix64(seed: 5)
    for (inputs, outputs) in [
      (1, 1), (30, 64), (64, 32), (33, 1), (7, 15), (16, 16), (5, 17), (30, 80), (9, 100), (3, 130),
    ] {
      let layer = DenseLayer(
        inputCount: inputs, outputCount: outputs,
        weights: (0..<inputs * outputs).map { _ in Float.random(in: -1...1, using: &generator) },
        bias: (0..<outputs).map { _ in Float.random(in: -1...1, using: &generator) }, isRectified: outputs % 2 == 0)
      let program = RowProgram(
        widths: [inputs, outputs], steps: [.init(operation: .dense(layer), inputs: [0], output: 1)], result: 1)
      let model = Model(
        format: .linearJSON, objective: "identity", body: .program(program), featureCount: inputs, featureNames: [],
        outputCount: outputs)
      var options = CompileOptions()
      options.instructions = instructions
      options.weights = weights
      let compiled = try CompiledModel(model, options: options)
      #expect((compiled.quantizationError == nil) == (weights == .float32))
      let rowCount = 77
      let rows = (0..<rowCount * inputs).map { _ in Float.random(in: -1...1, using: &generator) }
      var scores = [Double](repeating: .nan, count: rowCount * outputs)
      var scorer = compiled.makeScorer()
      scorer.score(rows, rowCount: rowCount, into: &scores)
      let reference = ReferenceScorer(model)
      // A bfloat16 is off by 2^-9 of itself, an int8 by half a step of 1/127.
      let relative =
        switch weights {
        case .float32: 1e-6
        case .bfloat16: 0x1p-8
        case .int8: 0.005
        }
      for row in 0..<rowCount {
        let expected = reference.score(Array(rows[row * inputs..<(row + 1) * inputs]))
        for output in 0..<outputs {
          let difference = abs(scores[row * outputs + output] - expected[output])
          #expect(difference <= relative * Double(inputs + 1), "\(inputs) x \(outputs), row \(row), output \(output)")
        }
      }
    }
  }

  @Test(arguments: CompileOptions.Weights.allCases)
  func `contributions are those of the weights that score`(weights: CompileOptions.Weights) throws {
    let text = #"{"model": "linear", "weights": [[0.31, -1.27, 2.5], [9.1, 0.07, -3.3]], "intercept": [0.125, -2]}"#
    let model = try Model(Array(text.utf8), place: "linear.json")
    var scorer = try CompiledModel(model, options: CompileOptions(weights: weights)).makeScorer()
    var scores = [0.0, 0]
    scorer.score([1, 20, 3], rowCount: 1, into: &scores)
    var explainer = try ExplainableModel(model, weights: weights).makeExplainer()
    var found = [Double](repeating: 0, count: 8)
    explainer.explain([1, 20, 3], rowCount: 1, into: &found)
    #expect(abs(found[..<4].reduce(0, +) - scores[0]) < 1e-4)
    #expect(abs(found[4...].reduce(0, +) - scores[1]) < 1e-4)
    #expect((abs(scores[1] + 1.4) < 1e-4) == (weights == .float32))
  }

  @Test func `smaller weights of what has none are refused by name, and cost nothing`() throws {
    let program = RowProgram(
      widths: [1, 1], steps: [.init(operation: .unary(.sigmoid), inputs: [0], output: 1)], result: 1)
    let model = Model(
      format: .onnx, objective: "graph", body: .program(program), featureCount: 1, featureNames: [], outputCount: 1)
    #expect(!model.hasWeights)
    #expect(try CompiledModel(model, options: CompileOptions(weights: .int8)).quantizationError == nil)
    try CompileOptions.Weights.float32.check(model, place: "m")
    #expect(throws: HeadraceError.self) { try CompileOptions.Weights.int8.check(model, place: "m") }
  }

  @Test(arguments: TreeKernelTests.instructionSets)
  func `the vector sigmoid is right to a few units in the last place`(instructions: InstructionSet) throws {
    let program = RowProgram(
      widths: [1, 1], steps: [.init(operation: .unary(.sigmoid), inputs: [0], output: 1)], result: 1)
    let model = Model(
      format: .linearJSON, objective: "logistic", body: .program(program), featureCount: 1, featureNames: [],
      outputCount: 1)
    var options = CompileOptions()
    options.instructions = instructions
    var scorer = try CompiledModel(model, options: options).makeScorer()
    let rows = (-2_000...2_000).map { Float($0) * 0.04 } + [.infinity, -.infinity, 0, -0.0]
    var scores = [Double](repeating: .nan, count: rows.count)
    scorer.score(rows, rowCount: rows.count, into: &scores)
    for (row, score) in zip(rows, scores) {
      let exact = 1 / (1 + exp(-Double(row)))
      #expect(abs(score - exact) <= max(exact * 4e-7, 2e-38), "sigmoid(\(row)) = \(score), expected \(exact)")
    }
    var missing = [0.0]
    scorer.score([.nan], rowCount: 1, into: &missing)
    #expect(missing[0].isNaN)
  }
}
