internal import Glibc

/// The operations of a program that need no kernel: a row in, a row out.
enum RowOperation {
  static func apply(
    _ operation: RowProgram.Operation, _ input: UnsafeBufferPointer<Float>, _ output: UnsafeMutableBufferPointer<Float>
  ) {
    switch operation {
    case .affine(let scale, let offset, let offsetFirst):
      for i in output.indices {
        unsafe output[i] = offsetFirst ? (input[i] + offset[i]) * scale[i] : input[i] * scale[i] + offset[i]
      }
    case .impute(let values, let replaced):
      for i in output.indices {
        let value = unsafe input[i]
        unsafe output[i] = (replaced.isNaN ? value.isNaN : value == replaced) ? values[i] : value
      }
    case .unary(let function): for i in output.indices { unsafe output[i] = apply(function, input[i]) }
    case .softmax: unsafe softmax(input, output)
    case .logSoftmax:
      unsafe softmax(input, output)
      for i in output.indices { unsafe output[i] = logf(output[i]) }
    case .normalize(let norm): unsafe normalize(norm, input, output)
    case .select(let columns): for (i, column) in columns.enumerated() { unsafe output[i] = input[column] }
    case .argumentOfMaximum:
      var best = 0
      for i in input.indices where unsafe input[i] > input[best] { best = i }
      unsafe output[0] = Float(best)
    case .binarize(let threshold): for i in output.indices { unsafe output[i] = input[i] > threshold ? 1 : 0 }
    case .clip(let lower, let upper):
      for i in output.indices {
        let value = unsafe input[i] < lower ? lower : input[i]
        unsafe output[i] = value > upper ? upper : value
      }
    case .standardize(let epsilon): unsafe standardize(epsilon, input, output)
    case .dense, .trees, .binary, .concatenate: preconditionFailure("this operation has a path of its own")
    }
  }

  static func apply(_ function: RowProgram.Unary, _ value: Float) -> Float {
    switch function {
    case .relu: value < 0 ? 0 : value
    case .sigmoid: OutputStage.logistic(value)
    case .tanh: tanhf(value)
    case .exponential: expf(value)
    case .logarithm: logf(value)
    case .negate: -value
    case .absolute: value.magnitude
    case .squareRoot: value.squareRoot()
    case .identity: value
    case .truncate: value.rounded(.towardZero)
    case .errorFunction: erff(value)
    case .gelu: 0.5 * value * (1 + erff(value * 0.707_106_77))
    case .geluByTanh: 0.5 * value * (1 + tanhf(0.797_884_56 * (value + 0.044_715 * value * value * value)))
    }
  }

  /// Sums in double: what is left when the mean is gone is right to the float.
  private static func standardize(
    _ epsilon: Float, _ input: UnsafeBufferPointer<Float>, _ output: UnsafeMutableBufferPointer<Float>
  ) {
    let count = Double(input.count)
    var mean = 0.0
    for i in input.indices { unsafe mean += Double(input[i]) }
    mean /= count
    var variance = 0.0
    for i in input.indices {
      let distance = unsafe Double(input[i]) - mean
      variance += distance * distance
    }
    let scale = 1 / (variance / count + Double(epsilon)).squareRoot()
    for i in output.indices { unsafe output[i] = Float((Double(input[i]) - mean) * scale) }
  }

  private static func softmax(_ input: UnsafeBufferPointer<Float>, _ output: UnsafeMutableBufferPointer<Float>) {
    var greatest = -Float.infinity
    for i in input.indices { greatest = unsafe max(greatest, input[i]) }
    var sum: Float = 0
    for i in output.indices {
      unsafe output[i] = expf(input[i] - greatest)
      unsafe sum += output[i]
    }
    for i in output.indices { unsafe output[i] /= sum }
  }

  /// ONNX's Normalizer; a row of zeros stays as it is.
  private static func normalize(
    _ norm: RowProgram.Norm, _ input: UnsafeBufferPointer<Float>, _ output: UnsafeMutableBufferPointer<Float>
  ) {
    var size: Float = 0
    for i in input.indices {
      let value = unsafe input[i]
      switch norm {
      case .maximum: size = max(size, value)
      case .absolute: size += value.magnitude
      case .euclidean: size += value * value
      }
    }
    if norm == .euclidean { size = size.squareRoot() }
    for i in output.indices { unsafe output[i] = size == 0 ? input[i] : input[i] / size }
  }

  /// A side of width 1 counts for every column.
  static func combine(
    _ operation: RowProgram.Binary, _ left: UnsafePointer<Float>, _ leftWidth: Int, _ right: UnsafePointer<Float>,
    _ rightWidth: Int, _ rowCount: Int, _ output: UnsafeMutablePointer<Float>, _ width: Int
  ) {
    for row in 0..<rowCount {
      for i in 0..<width {
        let a = unsafe left[row * leftWidth + (leftWidth == 1 ? 0 : i)]
        let b = unsafe right[row * rightWidth + (rightWidth == 1 ? 0 : i)]
        unsafe output[row * width + i] =
          switch operation {
          case .add: a + b
          case .subtract: a - b
          case .multiply: a * b
          case .divide: a / b
          }
      }
    }
  }
}
