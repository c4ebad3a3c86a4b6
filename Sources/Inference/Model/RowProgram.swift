/// Steps that each make a row of floats from rows that are there already: linear models, dense networks, and ONNX
/// graphs after everything that is only shape was taken out of them.
package struct RowProgram: Sendable {
  /// The width of each value; value 0 is the row of features.
  package var widths: [Int]
  package var steps: [Step]
  /// Which value is the result.
  package var result: Int

  package struct Step: Sendable {
    package var operation: Operation
    package var inputs: [Int]
    package var output: Int
  }

  package enum Operation: Sendable {
    case dense(DenseLayer)
    case trees(TreeEnsemble, stages: [OutputStage])
    /// value * scale + offset by column, each rounded: `offsetFirst` adds before it multiplies.
    case affine(scale: [Float], offset: [Float], offsetFirst: Bool)
    /// Columns with nothing in them (NaN, or exactly `replaced`) get their own constant.
    case impute(values: [Float], replaced: Float)
    case unary(Unary)
    case binary(Binary)
    case softmax
    case logSoftmax
    case normalize(Norm)
    case concatenate
    /// Some columns of the input, in this order.
    case select([Int])
    case argumentOfMaximum
    /// A column per threshold pair: value > threshold becomes 1, else 0.
    case binarize(threshold: Float)
    /// What lies below `lower` becomes that, what lies above `upper` that; NaN stays.
    case clip(lower: Float, upper: Float)
    /// The columns less their mean, over the root of their variance and `epsilon`.
    case standardize(epsilon: Float)
  }

  package enum Unary: Sendable {
    case relu, sigmoid, tanh, exponential, logarithm, negate, absolute, squareRoot, identity
    /// erf, and the Gaussian error linear unit x Φ(x), exactly and by its approximation with tanh.
    case errorFunction, gelu, geluByTanh
    /// Towards zero, as a cast to an integer does.
    case truncate
  }

  package enum Binary: Sendable { case add, subtract, multiply, divide }

  package enum Norm: Sendable { case maximum, absolute, euclidean }
}

/// y = x W + b.
package struct DenseLayer: Sendable {
  package var inputCount: Int
  package var outputCount: Int
  /// Row by row: `weights[k * outputCount + j]` leads from input k to output j.
  package var weights: [Float]
  package var bias: [Float]
  package var isRectified = false
}
