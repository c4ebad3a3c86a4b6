internal import Glibc

/// Passes over all rows for given weights.
struct LogisticPass {
  private let matrix: FeatureMatrix
  private let standardization: Standardization
  private let l2: Double
  private let width: Int
  private var row: [Double]

  init(_ matrix: FeatureMatrix, _ standardization: Standardization, l2: Double) {
    self.matrix = matrix
    self.standardization = standardization
    self.l2 = l2
    width = matrix.featureCount
    row = [Double](repeating: 1, count: matrix.featureCount + 1)
  }

  mutating func loss(_ weights: [Double]) -> Double {
    let matrix = matrix
    let values = matrix.values.span
    var loss = 0.0
    for index in 0..<matrix.rowCount {
      standardization.write(values, row: index, into: &row)
      let margin = Self.product(row, weights)
      let signed = matrix.labels[index] == 1 ? -margin : margin
      // log(1 + e^x) without overflow.
      loss += max(signed, 0) + log1p(exp(-signed.magnitude))
    }
    return weights[..<width].reduce(loss) { $0 + l2 / 2 * $1 * $1 }
  }

  /// Newton's system: the second derivative, and the gradient on the right side.
  mutating func system(_ weights: [Double]) -> SymmetricSystem {
    let matrix = matrix
    let values = matrix.values.span
    let size = width + 1
    var system = SymmetricSystem(size: size)
    for index in 0..<matrix.rowCount {
      standardization.write(values, row: index, into: &row)
      let probability = 1 / (1 + exp(-Self.product(row, weights)))
      let slope = probability - Double(matrix.labels[index])
      let curvature = probability * (1 - probability)
      for i in 0..<size {
        let value = row[i]
        system.right[i] += slope * value
        let weighted = curvature * value
        guard weighted != 0 else { continue }
        for j in 0...i { system.matrix[i * size + j] += weighted * row[j] }
      }
    }
    for i in 0..<width {
      system.right[i] += l2 * weights[i]
      // Of a feature that never changes nothing is known: its weight stays 0.
      system.matrix[i * size + i] += standardization.factors[i] == 0 ? 1 : l2
    }
    return system
  }

  /// Goes along a step as far as the loss falls.
  ///
  /// - Returns: nil when it does not fall any more: this is the minimum, to the last digit.
  mutating func shortened(_ step: [Double], from weights: [Double], loss: Double) -> ([Double], Double)? {
    var share = 1.0
    for _ in 0..<40 {
      let candidate = zip(weights, step).map { $0 - share * $1 }
      let candidateLoss = self.loss(candidate)
      if candidateLoss < loss { return (candidate, candidateLoss) }
      share /= 2
    }
    return nil
  }

  @inline(__always)
  private static func product(_ row: [Double], _ weights: [Double]) -> Double {
    var sum = 0.0
    for index in row.indices { sum += row[index] * weights[index] }
    return sum
  }
}
