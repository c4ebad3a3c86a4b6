/// A x = b with a symmetric positive definite A, by Cholesky's decomposition.
struct SymmetricSystem {
  let size: Int
  /// Row by row; only the lower triangle is read.
  var matrix: [Double]
  var right: [Double]

  init(size: Int) {
    self.size = size
    matrix = [Double](repeating: 0, count: size * size)
    right = [Double](repeating: 0, count: size)
  }

  /// - Returns: x; nil when A is not positive definite.
  func solved() -> [Double]? {
    var lower = matrix
    for row in 0..<size {
      for column in 0...row {
        var sum = lower[row * size + column]
        for index in 0..<column { sum -= lower[row * size + index] * lower[column * size + index] }
        if row == column {
          // Below this nothing is left of the digits that the matrix had.
          guard sum > matrix[row * size + row].magnitude * 1e-14, sum > 0 else { return nil }
          lower[row * size + row] = sum.squareRoot()
        } else {
          lower[row * size + column] = sum / lower[column * size + column]
        }
      }
    }
    var solution = right
    for row in 0..<size {
      for index in 0..<row { solution[row] -= lower[row * size + index] * solution[index] }
      solution[row] /= lower[row * size + row]
    }
    for row in (0..<size).reversed() {
      for index in (row + 1)..<max(size, row + 1) { solution[row] -= lower[index * size + row] * solution[index] }
      solution[row] /= lower[row * size + row]
    }
    return solution
  }
}
