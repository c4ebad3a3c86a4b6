/// Where the bins of a feature begin, and which range the reference had.
///
/// Bin k holds [edge k-1, edge k); the first and the last one are open towards the infinities. Grids that are equal can
/// be merged and compared; a grid is made once, from the reference, and travels with it.
package struct BinGrid: Sendable, Equatable {
  /// Finite, strictly rising.
  package let edges: [Double]
  /// Which edges also bound the coarse bins that shares are compared in; places in `edges`, rising. Fine bins make
  /// rank statistics sharp, coarse ones keep shares from being noise.
  package let coarseEdges: [Int]
  /// The least and the greatest finite value of the reference: everything else, infinities too, is out of range.
  package let lowest: Double
  package let highest: Double

  package var binCount: Int { edges.count + 1 }

  /// One bin for everything: of a reference without any finite value.
  package static let single = BinGrid()

  private init() {
    edges = []
    coarseEdges = []
    lowest = 0
    highest = 0
  }

  /// - Parameter coarseEdges: nil makes every edge one.
  /// - Returns: nil when the edges do not rise or anything is not finite.
  package init?(edges: [Double], coarseEdges: [Int]? = nil, lowest: Double, highest: Double) {
    let coarse = coarseEdges ?? Array(edges.indices)
    guard lowest.isFinite, highest.isFinite, lowest <= highest, edges.allSatisfy(\.isFinite),
      zip(edges, edges.dropFirst()).allSatisfy(<), zip(coarse, coarse.dropFirst()).allSatisfy(<),
      coarse.allSatisfy(edges.indices.contains)
    else { return nil }
    // One form: 0, not -0.
    self.edges = edges.map { $0 + 0 }
    self.coarseEdges = coarse
    self.lowest = lowest + 0
    self.highest = highest + 0
  }

  /// Ten coarse bins of equal shares of a reference, each cut into `finePerCoarse` fine ones; nil when the reference
  /// has no finite value.
  ///
  /// Edges are quantiles by linear interpolation; equal ones become one. The coarse bins are those of the classic PSI.
  package init?(quantilesOf reference: NumericSample, finePerCoarse: Int = 1) {
    guard finePerCoarse > 0, let lowest = reference.finite.first, let highest = reference.finite.last else {
      return nil
    }
    var (edges, coarse): ([Double], [Int]) = ([], [])
    let steps = 10 * finePerCoarse
    for step in 1..<steps {
      // Of a decile the same division as without fine bins: the same rounding.
      let isCoarse = step % finePerCoarse == 0
      let fraction = isCoarse ? Double(step / finePerCoarse) * 0.1 : Double(step) / Double(steps)
      guard let edge = reference.quantile(fraction), edge.isFinite else { continue }
      if edges.last.map({ $0 < edge }) ?? true { edges.append(edge) }
      if isCoarse, coarse.last != edges.count - 1 { coarse.append(edges.count - 1) }
    }
    self.init(edges: edges, coarseEdges: coarse, lowest: lowest, highest: highest)
  }

  /// Bins of equal width over a range.
  package init?(equalWidth range: ClosedRange<Double>, binCount: Int) {
    guard binCount > 0 else { return nil }
    let step = (range.upperBound - range.lowerBound) / Double(binCount)
    guard step.isFinite else { return nil }
    var edges: [Double] = []
    for index in 1..<max(binCount, 1) {
      let edge = range.lowerBound + Double(index) * step
      if edges.last.map({ $0 < edge }) ?? true { edges.append(edge) }
    }
    self.init(edges: edges, lowest: range.lowerBound, highest: range.upperBound)
  }

  /// The bin of a value that is not NaN.
  package func bin(of value: Double) -> Int { edges.partitioningIndex { $0 > value } }

  /// Counts of fine bins, summed up to those of the coarse ones.
  package func coarse(_ counts: [Int]) -> [Int] {
    var (result, begin): ([Int], Int) = ([], 0)
    for edge in coarseEdges {
      result.append(counts[begin...edge].reduce(0, +))
      begin = edge + 1
    }
    result.append(counts[begin...].reduce(0, +))
    return result
  }

  /// How a sorted sample falls into the bins.
  package func counts(of sample: NumericSample) -> [Int] {
    var counts: [Int] = []
    counts.reserveCapacity(binCount)
    var previous = 0
    for edge in edges {
      let below = sample.values.partitioningIndex { $0 >= edge }
      counts.append(below - previous)
      previous = below
    }
    counts.append(sample.count - previous)
    return counts
  }
}
