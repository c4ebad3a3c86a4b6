/// Sums whose rounding error grows with the logarithm of the count.
enum PairwiseSum {
  static func sum(_ values: ArraySlice<Double>, of term: (Double) -> Double = { $0 }) -> Double {
    if values.count <= 64 {
      var total = 0.0
      for value in values { total += term(value) }
      return total
    }
    let middle = values.startIndex + values.count / 2
    return sum(values[..<middle], of: term) + sum(values[middle...], of: term)
  }
}
