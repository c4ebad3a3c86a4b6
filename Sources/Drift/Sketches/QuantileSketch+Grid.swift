extension QuantileSketch {
  /// How its values fall into the bins of a grid. Exact where the grid's edges lie between bins of a sketch, as those of
  /// `grid(finePerCoarse:)` do; else within the sketch's accuracy.
  package func counts(in grid: BinGrid) -> [Int] {
    var counts = [Int](repeating: 0, count: grid.binCount)
    for (key, count) in bins { counts[grid.bin(of: Self.value(key))] += count }
    return counts
  }

  /// The population stability index of `current` against this sketch, over ten bins of about equal shares of this one;
  /// nil when one of both is empty.
  package func populationStabilityIndex(of current: QuantileSketch) -> Double? {
    guard let (grid, reference) = grid(), current.count > 0 else { return nil }
    return ShareDistances(reference: grid.coarse(reference), current: grid.coarse(current.counts(in: grid)))?
      .populationStabilityIndex()
  }
}
