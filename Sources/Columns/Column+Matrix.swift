extension Column {
  /// Puts a column of numbers into one of a matrix: the nearest float of each, NaN for a null; text is all NaN.
  ///
  /// - Parameters:
  ///   - matrix: rows that lie one after the other.
  ///   - first: where the first value goes.
  ///   - stride: from one row to the next.
  package func write(to matrix: inout [Float], first: Int, stride: Int, rowCount: Int) {
    var at = first
    var scale = 1.0
    if case .decimal(let digits) = type { for _ in 0..<digits { scale *= 10 } }
    for row in 0..<rowCount {
      let value: Float =
        if !isValid[row] {
          .nan
        } else {
          switch type.storage {
          case .integers: Float(Double(integers[row]))
          case .doubles: Float(doubles[row])
          case .decimals: Float(Double(decimals[row]) / scale)
          case .text: .nan
          }
        }
      matrix[at] = value
      at += stride
    }
  }
}
