internal import Glibc

/// Bins of equal width as numpy makes them: closed on the left, the last one closed on both sides, nothing outside.
struct EqualWidthBins {
  let edges: [Double]

  /// Sturges' rule over values that lie between `range`.
  static func sturges(count: Int, range: ClosedRange<Double>, isInteger: Bool) -> EqualWidthBins {
    let width = (range.upperBound - range.lowerBound) / (log2(Double(count)) + 1)
    return EqualWidthBins(range, width: isInteger && width < 1 && width > 0 ? 1 : width)
  }

  /// Doane's rule: Sturges' corrected for skewness. `values` are finite and sorted.
  static func doane(_ values: ArraySlice<Double>) -> EqualWidthBins? {
    guard let lowest = values.first, let highest = values.last else { return nil }
    return EqualWidthBins(lowest...highest, width: doaneWidth(values, highest - lowest))
  }

  private static func doaneWidth(_ values: ArraySlice<Double>, _ extent: Double) -> Double {
    let size = Double(values.count)
    guard values.count > 2 else { return 0 }
    let mean = PairwiseSum.sum(values) / size
    let deviation = (PairwiseSum.sum(values) { ($0 - mean) * ($0 - mean) } / size).squareRoot()
    guard deviation > 0 else { return 0 }
    let cubes = PairwiseSum.sum(values) { value in
      let distance = (value - mean) / deviation
      return distance * distance * distance
    }
    let skewness = cubes / size
    let error = (6 * (size - 2) / ((size + 1) * (size + 3))).squareRoot()
    return extent / (1 + log2(size) + log2(1 + skewness.magnitude / error))
  }

  private init(_ range: ClosedRange<Double>, width: Double) {
    let count = width > 0 ? ((range.upperBound - range.lowerBound) / width).rounded(.up) : 1
    self.init(range, count: Int(min(max(count, 1), 1e6)))
  }

  /// A single value lies in the middle of a range of width 1.
  init(_ range: ClosedRange<Double>, count: Int) {
    var (low, high) = (range.lowerBound, range.upperBound)
    if low == high { (low, high) = (low - 0.5, high + 0.5) }
    let step = (high - low) / Double(count)
    edges = (0..<count).map { Double($0) * step + low } + [high]
  }

  /// How many of some sorted values are in each bin, and how many are in none.
  func counts(_ values: ArraySlice<Double>) -> (inside: [Int], below: Int, above: Int) {
    let places = edges.dropLast().map { edge in values.partitioningIndex { $0 >= edge } }
    let last = edges[edges.count - 1]
    let end = values.partitioningIndex { $0 > last }
    let bounds = places + [max(end, places[places.count - 1])]
    let inside = zip(bounds, bounds.dropFirst()).map { $1 - $0 }
    return (inside, places[0] - values.startIndex, values.endIndex - bounds[bounds.count - 1])
  }
}
