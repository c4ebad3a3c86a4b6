internal import Glibc

/// P(D ≤ d) of the one-sample Kolmogorov–Smirnov statistic, exactly, by a power of Durbin's matrix.
///
/// Marsaglia, Tsang, Wang: Evaluating Kolmogorov's distribution, Journal of Statistical Software 8 (2003).
enum DurbinMatrix {
  /// - Precondition: 1 < count · distance; the matrix has 2⌈count · distance⌉ - 1 rows.
  static func probability(_ distance: Double, count n: Int) -> Double {
    let size = Double(n)
    let k = Int((size * distance).rounded(.down)) + 1
    let rows = 2 * k - 1
    let power = Scaled(values: matrix(rows, h: Double(k) - size * distance), exponent: 0, rows: rows).raised(to: n)
    var result = power.values[(k - 1) * rows + k - 1]
    var exponent = power.exponent
    // n! / n^n, scaled as it goes.
    for index in 1...n {
      result *= Double(index) / size
      if result < 0x1p-460 {
        result *= 0x1p460
        exponent -= 460
      }
    }
    return scalbn(result, Int32(clamping: exponent))
  }

  private static func matrix(_ rows: Int, h: Double) -> [Double] {
    var values = [Double](repeating: 0, count: rows * rows)
    for row in 0..<rows {
      for column in 0...min(row + 1, rows - 1) { values[row * rows + column] = 1 }
    }
    for index in 0..<rows {
      values[index * rows] -= pow(h, Double(index + 1))
      values[(rows - 1) * rows + index] -= pow(h, Double(rows - index))
    }
    if 2 * h - 1 > 0 { values[(rows - 1) * rows] += pow(2 * h - 1, Double(rows)) }
    for row in 0..<rows {
      for column in 0..<min(row + 2, rows) where row - column + 1 > 0 {
        for divisor in 1...(row - column + 1) { values[row * rows + column] /= Double(divisor) }
      }
    }
    return values
  }

  /// A square matrix times 2^exponent.
  private struct Scaled {
    var values: [Double]
    var exponent: Int
    var rows: Int

    func multiplied(by other: Scaled) -> Scaled {
      var product = [Double](repeating: 0, count: rows * rows)
      for row in 0..<rows {
        for inner in 0..<rows {
          let factor = values[row * rows + inner]
          if factor == 0 { continue }
          for column in 0..<rows { product[row * rows + column] += factor * other.values[inner * rows + column] }
        }
      }
      var exponent = exponent + other.exponent
      if product[(rows / 2) * rows + rows / 2] > 0x1p460 {
        for index in product.indices { product[index] *= 0x1p-460 }
        exponent += 460
      }
      return Scaled(values: product, exponent: exponent, rows: rows)
    }

    func raised(to power: Int) -> Scaled {
      guard power > 1 else { return self }
      let half = raised(to: power / 2)
      let square = half.multiplied(by: half)
      return power % 2 == 0 ? square : square.multiplied(by: self)
    }
  }
}
