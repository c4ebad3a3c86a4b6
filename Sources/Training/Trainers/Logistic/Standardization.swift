/// Means and standard deviations of features, nulls left out; a null takes the place of the mean.
struct Standardization {
  let means: [Double]
  /// 1 / σ over all rows; 0 of a feature that never changes, so that it counts for nothing.
  let factors: [Double]

  init(_ matrix: FeatureMatrix) {
    let (width, rows) = (matrix.featureCount, matrix.rowCount)
    var sums = [Double](repeating: 0, count: width)
    var counts = [Int](repeating: 0, count: width)
    for row in 0..<rows {
      for feature in 0..<width {
        let value = Double(matrix.values[row * width + feature])
        guard value.isFinite else { continue }
        sums[feature] += value
        counts[feature] += 1
      }
    }
    let means = zip(sums, counts).map { $1 > 0 ? $0 / Double($1) : 0 }
    // A second pass: the difference of two large sums would lose what matters.
    var squares = [Double](repeating: 0, count: width)
    for row in 0..<rows {
      for feature in 0..<width {
        let value = Double(matrix.values[row * width + feature])
        guard value.isFinite else { continue }
        let deviation = value - means[feature]
        squares[feature] += deviation * deviation
      }
    }
    self.means = means
    factors = squares.map { square in
      let deviation = (square / Double(max(rows, 1))).squareRoot()
      return deviation > 0 ? 1 / deviation : 0
    }
  }

  /// A row as the solver sees it.
  @inline(__always)
  func write(_ values: Span<Float>, row: Int, into target: inout [Double]) {
    let first = row * means.count
    for feature in means.indices {
      let value = Double(values[first + feature])
      target[feature] = value.isFinite ? (value - means[feature]) * factors[feature] : 0
    }
  }
}
