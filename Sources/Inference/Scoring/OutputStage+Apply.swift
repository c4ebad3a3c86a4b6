internal import Glibc

extension OutputStage {
  /// Values of a row behind this stage.
  func width(after width: Int) -> Int {
    switch self {
    case .argumentOfMaximum: 1
    case .twoClasses: 2
    default: width
    }
  }

  /// Works on rows of `width` values in place; a stage that changes the width leaves the new rows at the same distance.
  ///
  /// - Parameter stride: values from one row to the next, enough for the widest.
  func apply(
    _ rows: UnsafeMutablePointer<Double>, rowCount: Int, width: Int, stride: Int, precision: TreeEnsemble.Precision
  ) {
    switch precision {
    case .float64:
      for row in 0..<rowCount {
        unsafe Self.transform64(self, UnsafeMutableBufferPointer(start: rows + row * stride, count: stride), width)
      }
    case .float32:
      for row in 0..<rowCount {
        unsafe Self.transform32(self, UnsafeMutableBufferPointer(start: rows + row * stride, count: stride), width)
      }
    }
  }

  private static func transform64(_ stage: Self, _ row: UnsafeMutableBufferPointer<Double>, _ width: Int) {
    switch stage {
    case .divide(let divisor): for i in 0..<width { unsafe row[i] /= divisor }
    case .add(let values): for i in 0..<width { unsafe row[i] += values[i] }
    case .sigmoid(let scale): for i in 0..<width { unsafe row[i] = 1 / (1 + exp(-scale * row[i])) }
    case .boundedSigmoid: for i in 0..<width { unsafe row[i] = 1 / (1 + exp(-row[i])) }
    case .exponential: for i in 0..<width { unsafe row[i] = exp(row[i]) }
    case .softplus: for i in 0..<width { unsafe row[i] = log1p(exp(row[i])) }
    case .signedSquare: for i in 0..<width { unsafe row[i] = row[i] * row[i] * (row[i] < 0 ? -1 : 1) }
    case .softmax:
      var sum = 0.0
      let greatest = unsafe maximum(row, width)
      for i in 0..<width {
        unsafe row[i] = exp(row[i] - greatest)
        unsafe sum += row[i]
      }
      for i in 0..<width { unsafe row[i] /= sum }
    default: unsafe common(stage, row, width)
    }
  }

  /// In float32 as the libraries do it; a Double holds each value exactly.
  private static func transform32(_ stage: Self, _ row: UnsafeMutableBufferPointer<Double>, _ width: Int) {
    func each(_ function: (Float) -> Float) {
      for i in 0..<width { unsafe row[i] = Double(function(Float(row[i]))) }
    }
    switch stage {
    case .divide(let divisor): each { $0 / Float(divisor) }
    case .add(let values): for i in 0..<width { unsafe row[i] = Double(Float(row[i]) + Float(values[i])) }
    case .sigmoid(let scale): each { 1 / (1 + expf(-Float(scale) * $0)) }
    case .boundedSigmoid: each { 1 / (expf(min(-$0, 88.7)) + 1 + 1e-16) }
    case .exponential: each(expf)
    case .softplus: each { log1pf(expf($0)) }
    case .signedSquare: each { $0 * $0 * ($0 < 0 ? -1 : 1) }
    case .softmax:
      var sum = 0.0
      let greatest = Float(unsafe maximum(row, width))
      for i in 0..<width {
        unsafe row[i] = Double(expf(Float(row[i]) - greatest))
        unsafe sum += row[i]
      }
      each { $0 / Float(sum) }
    default: unsafe common(stage, row, width)
    }
  }

  /// What has no more than the precision of its input.
  private static func common(_ stage: Self, _ row: UnsafeMutableBufferPointer<Double>, _ width: Int) {
    switch stage {
    case .step: for i in 0..<width { unsafe row[i] = row[i] > 0 ? 1 : 0 }
    case .argumentOfMaximum:
      var best = 0
      for i in 1..<max(width, 1) where unsafe row[i] > row[best] { best = i }
      unsafe row[0] = Double(best)
    case .twoClasses(let kind): unsafe twoClasses(kind, row)
    case .softmaxOfNonzero: unsafe softmaxOfNonzero(row, width)
    case .probit: for i in 0..<width { unsafe row[i] = Double(probit(Float(row[i]))) }
    default: break
    }
  }

  private static func twoClasses(_ kind: TwoClasses, _ row: UnsafeMutableBufferPointer<Double>) {
    let score = Float(unsafe row[0])
    let pair: (Float, Float) =
      switch kind {
      case .complement: (1 - score, score)
      case .negation: (-score, score)
      case .logistic: (logistic(-score), logistic(score))
      }
    unsafe row[0] = Double(pair.0)
    unsafe row[1] = Double(pair.1)
  }

  /// ONNX Runtime's: of the magnitude, then mirrored.
  static func logistic(_ value: Float) -> Float {
    let positive = 1 / (1 + expf(-value.magnitude))
    return value < 0 ? 1 - positive : positive
  }

  private static func softmaxOfNonzero(_ row: UnsafeMutableBufferPointer<Double>, _ width: Int) {
    let greatest = Float(unsafe maximum(row, width))
    let scale = expf(-greatest)
    var sum: Float = 0
    for i in 0..<width {
      let value = Float(unsafe row[i])
      let isZero = value > -0.0000001 && value < 0.0000001
      let result = isZero ? value * scale : expf(value - greatest)
      sum += result
      unsafe row[i] = Double(result)
    }
    for i in 0..<width { unsafe row[i] = Double(Float(row[i]) / sum) }
  }

  /// The square root of two times the inverse of erf(2x - 1), in Winitzki's approximation, which ONNX Runtime uses.
  private static func probit(_ value: Float) -> Float {
    let x = 2 * value - 1
    let logarithm = logf((1 - x) * (1 + x))
    let v: Float = 2 / (.pi * 0.147) + 0.5 * logarithm
    let v2 = 1 / 0.147 * logarithm
    return 1.41421356 * (x < 0 ? -1 : 1) * sqrtf(-v + sqrtf(v * v - v2))
  }

  private static func maximum(_ row: UnsafeMutableBufferPointer<Double>, _ width: Int) -> Double {
    var greatest = unsafe row[0]
    for i in 1..<max(width, 1) where unsafe row[i] > greatest { unsafe greatest = row[i] }
    return greatest
  }
}
