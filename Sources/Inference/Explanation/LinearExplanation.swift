internal import Core

/// A linear model taken apart: which feature each input of its layer comes from, and what happens to it on the way.
@safe
struct LinearExplanation: Sendable {
  /// An input of the layer: one feature, changed by functions of that feature alone.
  fileprivate struct Input: Sendable {
    var feature: Int
    var changes: [Change] = []
  }

  fileprivate enum Change: Sendable {
    case affine(scale: Float, offset: Float, offsetFirst: Bool)
    case impute(value: Float, replaced: Float)
    case unary(RowProgram.Unary)
    case binarize(threshold: Float)
  }

  /// What a value of the program is made of.
  private enum Origin {
    case inputs([Input])
    /// The layer's output and whatever a link makes of it.
    case margin
    case other
  }

  private let inputs: [Input]
  private let layer: DenseLayer

  var marginCount: Int { layer.outputCount }

  /// - Throws: `EXPLANATION_UNSUPPORTED` when the program is no linear model of its features.
  init(_ program: RowProgram, weights: CompileOptions.Weights) throws(HeadraceError) {
    var origins = [Origin](repeating: .other, count: program.widths.count)
    origins[0] = .inputs((0..<program.widths[0]).map { Input(feature: $0) })
    var found: (inputs: [Input], layer: DenseLayer)?
    for step in program.steps {
      let sources = step.inputs.map { origins[$0] }
      if case .dense(let layer) = step.operation {
        guard found == nil, !layer.isRectified, case .inputs(let inputs)? = sources.first else { throw Self.notLinear }
        found = (inputs, layer)
        origins[step.output] = .margin
      } else {
        origins[step.output] = Self.origin(step.operation, sources)
      }
    }
    guard let found, case .margin = origins[program.result] else { throw Self.notLinear }
    inputs = found.inputs
    layer = DenseKernel.kept(found.layer, as: weights)
  }

  /// Adds contributions and base values to rows of zeros.
  func explain(
    _ matrix: UnsafePointer<Float>, featureCount: Int, rowCount: Int, _ contributions: UnsafeMutablePointer<Double>
  ) {
    let outputs = layer.outputCount
    for row in 0..<rowCount {
      let values = unsafe matrix + row * featureCount
      let start = unsafe contributions + row * outputs * (featureCount + 1)
      for index in inputs.indices {
        let feature = inputs[index].feature
        let value = Double(inputs[index].value(unsafe values[feature]))
        for output in 0..<outputs {
          unsafe start[output * (featureCount + 1) + feature] += value * Double(layer.weights[index * outputs + output])
        }
      }
      for output in 0..<outputs {
        unsafe start[output * (featureCount + 1) + featureCount] = Double(layer.bias[output])
      }
    }
  }

  /// The contributions of the mean of some rows; empty without rows.
  func mean(of rows: [Float], featureCount: Int) -> [Double] {
    let rowCount = rows.count / max(featureCount, 1)
    guard rowCount > 0 else { return [] }
    let width = layer.outputCount * (featureCount + 1)
    var mean = [Double](repeating: 0, count: width)
    var found = [Double](repeating: 0, count: width)
    for row in 0..<rowCount {
      for index in found.indices { found[index] = 0 }
      unsafe rows.withUnsafeBufferPointer { rows in
        unsafe found.withUnsafeMutableBufferPointer { found in
          guard let rows = rows.baseAddress, let found = found.baseAddress else { return }
          unsafe explain(rows + row * featureCount, featureCount: featureCount, rowCount: 1, found)
        }
      }
      for index in mean.indices { mean[index] += found[index] / Double(rowCount) }
    }
    return mean
  }

  private static var notLinear: HeadraceError {
    ExplanationFault.unsupported(
      "the model is neither trees alone nor one linear layer over its features",
      remedy: "explained are trees of LightGBM and XGBoost, trees of ONNX beside a `background`, and linear models; "
        + "networks of several layers (MLP), and trees behind other operators, are scored and not explained")
  }

  private static func origin(_ operation: RowProgram.Operation, _ sources: [Origin]) -> Origin {
    let isMargin = sources.allSatisfy { if case .margin = $0 { true } else { false } }
    if isMargin {
      if case .trees = operation { return .other }
      return .margin
    }
    var inputs: [Input] = []
    for source in sources {
      guard case .inputs(let more) = source else { return .other }
      inputs += more
    }
    switch operation {
    case .concatenate: return .inputs(inputs)
    case .select(let columns): return .inputs(columns.map { inputs[$0] })
    case .affine(let scale, let offset, let offsetFirst):
      return .inputs(
        inputs.indices.map {
          inputs[$0].changed(.affine(scale: scale[$0], offset: offset[$0], offsetFirst: offsetFirst))
        })
    case .impute(let values, let replaced):
      return .inputs(inputs.indices.map { inputs[$0].changed(.impute(value: values[$0], replaced: replaced)) })
    case .unary(let function): return .inputs(inputs.map { $0.changed(.unary(function)) })
    case .binarize(let threshold): return .inputs(inputs.map { $0.changed(.binarize(threshold: threshold)) })
    case .dense, .trees, .binary, .softmax, .logSoftmax, .normalize, .argumentOfMaximum, .clip, .standardize:
      return .other
    }
  }
}

extension LinearExplanation.Input {
  fileprivate func changed(_ change: LinearExplanation.Change) -> Self {
    var copy = self
    copy.changes.append(change)
    return copy
  }

  /// The number that comes to the layer, rounded as in scoring.
  fileprivate func value(_ feature: Float) -> Float {
    var value = feature
    for change in changes {
      switch change {
      case .affine(let scale, let offset, let offsetFirst):
        value = offsetFirst ? (value + offset) * scale : value * scale + offset
      case .impute(let filled, let replaced):
        value = (replaced.isNaN ? value.isNaN : value == replaced) ? filled : value
      case .unary(let function): value = RowOperation.apply(function, value)
      case .binarize(let threshold): value = value > threshold ? 1 : 0
      }
    }
    return value
  }
}
