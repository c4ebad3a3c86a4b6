package import Core

/// How a model is compiled.
package struct CompileOptions: Sendable {
  /// How the weights of dense layers are kept. Trees know no such thing.
  package enum Weights: String, Sendable, CaseIterable {
    case float32
    case bfloat16 = "bf16"
    case int8
  }

  package var instructions: InstructionSet = .best
  package var weights: Weights

  package init(weights: Weights = .float32) { self.weights = weights }
}

extension CompileOptions.Weights {
  /// For whoever names one model and asks for smaller weights.
  ///
  /// - Throws: `WEIGHTS_WITHOUT_EFFECT` when the model has none that could be smaller.
  package func check(_ model: Model, place: String) throws(HeadraceError) {
    guard self != .float32, !model.hasWeights else { return }
    throw HeadraceError(
      .user, "WEIGHTS_WITHOUT_EFFECT",
      "\(rawValue) weights change nothing: the model (\(model.summary)) has no dense layer", place: place,
      remedy: "leave them out: trees have no weights")
  }
}

/// A model, ready to score: its tables are laid out for one instruction set and never change, so that any number of
/// threads may share it. Each thread scores through a `Scorer` of its own.
package final class CompiledModel: Sendable {
  package let model: Model
  package let options: CompileOptions
  /// Memory of the tables.
  package let sizeBytes: Int
  /// What smaller weights cost; nil with float32, and without dense layers.
  package let quantizationError: QuantizationError?

  let scoring: Scoring

  enum Scoring: Sendable {
    case trees(TreeScoring)
    case program(ProgramScoring)
  }

  /// - Throws: `MODEL_TOO_LARGE`; `KERNEL_MISMATCH` when the kernel does not agree with plain code on rows made of the
  ///   model's own thresholds, which would be a fault of this program or of the processor.
  package init(_ model: Model, options: CompileOptions = CompileOptions()) throws(HeadraceError) {
    self.model = model
    self.options = options
    switch model.body {
    case .trees(let ensemble, let stages):
      let trees = try TreeScoring(ensemble, stages: stages)
      scoring = .trees(trees)
      sizeBytes = trees.kernel.sizeBytes
      quantizationError = nil
    case .program(let program):
      let compiled = try ProgramScoring(program, weights: options.weights)
      scoring = .program(compiled)
      sizeBytes = compiled.sizeBytes
      quantizationError =
        options.weights != .float32 && model.hasWeights
        ? try QuantizationError.measured(program, compiled, options) : nil
    }
    try checkKernel()
  }

  /// A scorer with scratch memory of its own.
  package func makeScorer() -> Scorer { Scorer(self) }

  var scratchBytes: Int {
    switch scoring {
    case .trees(let trees): trees.scratchBytes
    case .program(let program): program.scratchBytes
    }
  }

  /// Rows at the thresholds and beside them, through both paths of the kernel and through `ReferenceScorer`.
  private func checkKernel() throws(HeadraceError) {
    guard case .trees(let ensemble, _) = model.body, options.instructions <= .best else { return }
    let rowCount = ProbeRows.rowCount(ensemble)
    let rows = ProbeRows(ensemble, rowCount: rowCount)
    let reference = ReferenceScorer(model)
    var scorer = makeScorer()
    let width = model.outputCount
    var scores = [Double](repeating: 0, count: rowCount * width)
    scorer.score(rows.values, rowCount: rowCount, into: &scores)
    var single = [Double](repeating: 0, count: width)
    for row in 0..<rowCount {
      let values = Array(rows.values[row * model.featureCount..<(row + 1) * model.featureCount])
      let expected = reference.score(values)
      scorer.score(values, rowCount: 1, into: &single)
      let inBlock = scores[row * width..<(row + 1) * width]
      guard inBlock.elementsEqual(expected, by: Self.isSame), single.elementsEqual(expected, by: Self.isSame) else {
        throw HeadraceError(
          .internal, "KERNEL_MISMATCH",
          "the \(options.instructions) kernel gives \(Array(inBlock)) and \(single), plain code \(expected)",
          remedy: "report the model file with this message")
      }
    }
  }

  private static func isSame(_ left: Double, _ right: Double) -> Bool {
    left == right || (left.isNaN && right.isNaN)
  }
}
