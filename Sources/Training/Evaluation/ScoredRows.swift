internal import Columns
internal import Core
internal import Inference

/// Labels of the rows that test, and what each model says of them.
struct ScoredRows: Sendable {
  var labels: [Float] = []
  /// Of each model: a score for each row, or one for each class, row by row.
  var scores: [[Double]]
  /// Scores of a row.
  let width: Int
}

/// A model that is measured: its file, compiled, and the columns that it reads.
struct MeasuredModel: Sendable {
  let subject: ModelEvaluation.Subject
  let compiled: CompiledModel
  let mapping: FeatureMapping

  /// - Throws: what `Inference` says of the file; `EVALUATION_MODEL`.
  init(
    _ subject: ModelEvaluation.Subject, _ dataset: TrainingDataset, _ weights: CompileOptions.Weights
  ) throws(HeadraceError) {
    self.subject = subject
    compiled = try CompiledModel(
      Model(subject.bytes, place: subject.name), options: CompileOptions(weights: weights))
    do throws(HeadraceError) {
      mapping = try FeatureMapping(compiled.model, dataset)
    } catch {
      throw error.at(subject.name)
    }
  }
}

/// Scores batch after batch with one model.
final class ScoringPass {
  private let model: MeasuredModel
  private let featureCount: Int
  private var scorer: Scorer
  private var matrix: [Float] = []
  private var outputs: [Double] = []

  init(_ model: MeasuredModel, featureCount: Int) {
    self.model = model
    self.featureCount = featureCount
    scorer = model.compiled.makeScorer()
  }

  /// Appends the scores of some rows.
  ///
  /// - Parameter width: scores of a row that are kept.
  func score(_ rows: TrainingRows, width: Int, into scores: inout [Double]) {
    let count = rows.count
    outputs = [Double](repeating: 0, count: count * scorer.outputCount)
    if let positions = model.mapping.positions {
      matrix.removeAll(keepingCapacity: true)
      matrix.reserveCapacity(count * positions.count)
      for row in 0..<count { for position in positions { matrix.append(rows.features[row * featureCount + position]) } }
      scorer.score(matrix, rowCount: count, into: &outputs)
    } else {
      scorer.score(rows.features, rowCount: count, into: &outputs)
    }
    let stride = scorer.outputCount
    for row in 0..<count {
      for output in 0..<width { scores.append(outputs[row * stride + model.mapping.scoreOffset + output]) }
    }
  }
}

@available(*, unavailable, message: "its buffers belong to one thread")
extension ScoringPass: Sendable {}
