/// Which of many p-values count when the share of false ones among them is to stay below a level.
package enum FalseDiscovery {
  /// Benjamini, Hochberg: Controlling the False Discovery Rate (1995), step-up. Holds for independent and for
  /// positively dependent tests; when nothing has drifted, any alarm at all has at most the probability `level`.
  ///
  /// - Parameter pValues: NaN never counts.
  /// - Returns: a flag for each p-value.
  package static func benjaminiHochberg(_ pValues: [Double], level: Double) -> [Bool] {
    adjusted(pValues).map { $0 <= level }
  }

  /// The level at which each p-value would just count, in the same order.
  package static func adjusted(_ pValues: [Double]) -> [Double] {
    let order = pValues.indices.filter { !pValues[$0].isNaN }.sorted { pValues[$0] < pValues[$1] }
    var result = [Double](repeating: .nan, count: pValues.count)
    var least = 1.0
    for (rank, index) in order.enumerated().reversed() {
      least = min(least, pValues[index] * Double(order.count) / Double(rank + 1))
      result[index] = least
    }
    return result
  }
}
