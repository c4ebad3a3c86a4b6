internal import Glibc

/// The two-sample Kolmogorov–Smirnov test.
package enum KolmogorovSmirnov {
  package enum Method: Sendable {
    /// Exact up to 10,000 values on each side, asymptotic beyond, as scipy's `auto`.
    case automatic
    /// Counts the paths of all orders of the two samples.
    case exact
    /// The distribution of one sample of nm/(n+m) values.
    case asymptotic
  }

  private static let exactCountMax = 10_000

  /// sup |F_reference - F_current|; nil when a side is empty.
  package static func statistic(_ reference: NumericSample, _ current: NumericSample) -> Double? {
    guard reference.count > 0, current.count > 0 else { return nil }
    var largest = 0.0
    forEachStep(reference.values[...], current.values[...]) { _, referenceBelow, currentBelow in
      let difference =
        Double(referenceBelow) / Double(reference.count) - Double(currentBelow) / Double(current.count)
      largest = max(largest, difference.magnitude)
    }
    return largest
  }

  /// The probability of so large a statistic when both samples come from one continuous distribution. With ties it is
  /// an upper bound.
  package static func pValue(
    _ statistic: Double, referenceCount n: Int, currentCount m: Int, method: Method = .automatic
  ) -> Double {
    guard n > 0, m > 0, !statistic.isNaN else { return .nan }
    let isExact =
      switch method {
      case .automatic: max(n, m) <= exactCountMax
      case .exact: true
      case .asymptotic: false
      }
    if isExact, let probability = exact(statistic, n, m) { return probability }
    let size = (Double(n) * Double(m) / (Double(n) + Double(m))).rounded(.toNearestOrEven)
    return KolmogorovDistribution.upperTail(statistic, count: max(Int(size), 1))
  }

  /// Calls `body` once for each distinct value of both sorted lists, with how many of each are at or below it.
  static func forEachStep(
    _ reference: ArraySlice<Double>, _ current: ArraySlice<Double>,
    _ body: (_ value: Double, _ referenceBelow: Int, _ currentBelow: Int) -> Void
  ) {
    var (i, j) = (reference.startIndex, current.startIndex)
    while i < reference.endIndex || j < current.endIndex {
      let value: Double =
        if i == reference.endIndex { current[j] } else if j == current.endIndex { reference[i] } else {
          min(reference[i], current[j])
        }
      while i < reference.endIndex, reference[i] == value { i += 1 }
      while j < current.endIndex, current[j] == value { j += 1 }
      body(value, i - reference.startIndex, j - current.startIndex)
    }
  }

  /// The share of all orders whose path from (0, 0) to (n, m) touches |i/n - j/m| ≥ statistic; nil when the counts
  /// have no common multiple in 64 bits.
  private static func exact(_ statistic: Double, _ n: Int, _ m: Int) -> Double? {
    let divisor = greatestCommonDivisor(n, m)
    let (rowStep, columnStep) = (m / divisor, n / divisor)
    let (multiple, overflow) = n.multipliedReportingOverflow(by: rowStep)
    guard !overflow, Double(multiple) < 0x1p53 else { return nil }
    let height = Int((statistic * Double(multiple)).rounded(.toNearestOrEven))
    if height <= 0 { return 1 }
    if n == m { return outsideSquare(n, height) }
    return outside(rows: n, columns: m, rowStep, columnStep, height)
  }

  /// 2 Σ (-1)^(k-1) C(2n, n-kh) / C(2n, n), nested so that nothing cancels (reflection principle).
  private static func outsideSquare(_ n: Int, _ height: Int) -> Double {
    var probability = 0.0
    for k in stride(from: n / height, through: 1, by: -1) {
      // C(2n, n - kh) / C(2n, n - (k-1)h)
      var ratio = 1.0
      let previous = n - (k - 1) * height
      for step in 0..<height {
        ratio *= Double(previous - step) / Double(2 * n - previous + step + 1)
        if ratio == 0 { break }
      }
      probability = ratio * (1 - probability)
    }
    return min(max(2 * probability, 0), 1)
  }

  /// One row of the lattice after the other: the share of the paths to (i, j) that have touched the boundary.
  private static func outside(rows: Int, columns: Int, _ rowStep: Int, _ columnStep: Int, _ height: Int) -> Double {
    var shares = [Double](repeating: 1, count: columns + 1)
    for j in 0...columns where j * columnStep < height { shares[j] = 0 }
    for i in 1...rows {
      // Inside: |i·rowStep - j·columnStep| < height.
      let low = i * rowStep - height
      let first = low < 0 ? 0 : low / columnStep + 1
      let last = min((i * rowStep + height - 1) / columnStep, columns)
      // What lies before the first was inside one row earlier, at most.
      var left = first == 0 ? 0.0 : 1.0
      if first > 0 { shares[first - 1] = 1 }
      // A row without an inside: no path gets past it untouched.
      guard first <= last else { return 1 }
      for j in first...last {
        left = j == 0 ? shares[0] : (Double(i) * shares[j] + Double(j) * left) / Double(i + j)
        shares[j] = left
      }
    }
    return min(max(shares[columns], 0), 1)
  }

  private static func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
    var (first, second) = (first, second)
    while second != 0 { (first, second) = (second, first % second) }
    return first
  }
}
