package import Core

/// A window of one numeric feature, on a grid: what drift is computed from when values are not kept.
///
/// Mergeable: every field is a count, an extreme or an exact sum, so neither order nor cuts leave a trace.
package struct NumericProfile: Sendable, Equatable {
  package let grid: BinGrid
  /// Values in each bin; infinities lie in the outer ones.
  package internal(set) var counts: [Int]
  /// Null or NaN.
  package internal(set) var missingCount = 0
  /// Values below and above the range of the reference.
  package internal(set) var belowCount = 0
  package internal(set) var aboveCount = 0
  package internal(set) var moments = Moments()

  package init(_ grid: BinGrid) {
    self.grid = grid
    counts = [Int](repeating: 0, count: grid.binCount)
  }

  package init(_ sample: NumericSample, on grid: BinGrid) {
    self.init(grid)
    counts = grid.counts(of: sample)
    missingCount = sample.missingCount
    belowCount = sample.values.partitioningIndex { $0 >= grid.lowest }
    aboveCount = sample.count - sample.values.partitioningIndex { $0 > grid.highest }
    for value in sample.values { moments.add(value) }
  }

  /// Values that are not missing.
  package var count: Int { counts.reduce(0, +) }
  package var rowCount: Int { count + missingCount }
  package var missingShare: Double { rowCount == 0 ? 0 : Double(missingCount) / Double(rowCount) }
  /// The share of the values outside of the reference's range.
  package var outOfRangeShare: Double {
    let count = count
    return count == 0 ? 0 : Double(belowCount + aboveCount) / Double(count)
  }

  package mutating func add(_ value: Double) {
    guard !value.isNaN else {
      missingCount += 1
      return
    }
    counts[grid.bin(of: value)] += 1
    if value < grid.lowest { belowCount += 1 }
    if value > grid.highest { aboveCount += 1 }
    moments.add(value)
  }

  package mutating func addMissing(_ count: Int = 1) { missingCount += count }

  /// - Precondition: both are on the same grid.
  package mutating func merge(_ other: NumericProfile) {
    precondition(grid == other.grid, "profiles on different grids cannot be merged")
    for bin in counts.indices { counts[bin] += other.counts[bin] }
    missingCount += other.missingCount
    belowCount += other.belowCount
    aboveCount += other.aboveCount
    moments.merge(other.moments)
  }
}

extension NumericProfile {
  package var encoded: [UInt8] {
    var writer = SketchWriter(.numericProfile)
    writer.append(count: grid.edges.count)
    for edge in grid.edges { writer.append(edge) }
    writer.append(count: grid.coarseEdges.count)
    for edge in grid.coarseEdges { writer.append(count: edge) }
    writer.append(grid.lowest)
    writer.append(grid.highest)
    for count in counts { writer.append(count: count) }
    for count in [missingCount, belowCount, aboveCount] { writer.append(count: count) }
    moments.write(to: &writer)
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(HeadraceError) {
    self = try HeadraceError.decoding { () throws(SketchFault) in
      var reader = try SketchReader(bytes[...], .numericProfile)
      let profile = try NumericProfile(from: &reader)
      try reader.finish()
      return profile
    }
  }

  private init(from reader: inout SketchReader) throws(SketchFault) {
    let edgeCount = try reader.elementCount(bytesEach: 9)
    var edges: [Double] = []
    edges.reserveCapacity(edgeCount)
    for _ in 0..<edgeCount { edges.append(try reader.double()) }
    var coarse: [Int] = []
    for _ in 0..<(try reader.elementCount(bytesEach: 1)) { coarse.append(try reader.count()) }
    let (lowest, highest) = (try reader.double(), try reader.double())
    guard let grid = BinGrid(edges: edges, coarseEdges: coarse, lowest: lowest, highest: highest) else {
      throw .notCanonical("a grid")
    }
    self.init(grid)
    for bin in counts.indices { counts[bin] = try reader.count() }
    missingCount = try reader.count()
    belowCount = try reader.count()
    aboveCount = try reader.count()
    moments = try Moments(from: &reader)
    let values = counts.reduce(0 as Int128) { $0 + Int128($1) }
    let infinities = Int128(moments.positiveInfinityCount) + Int128(moments.negativeInfinityCount)
    guard values == Int128(moments.count) + infinities, Int128(belowCount) + Int128(aboveCount) <= values else {
      throw .notCanonical("counts that contradict each other")
    }
  }
}

extension NumericProfile {
  /// What a sketch has seen, on a grid whose edges lie between bins of sketches: the counts are exact then, and what is
  /// out of range is known to within one bin.
  package init(_ sketch: QuantileSketch, _ moments: Moments, missingCount: Int, on grid: BinGrid) {
    self.init(grid)
    for (lowerBound, count) in sketch.steps {
      counts[grid.bin(of: lowerBound)] += count
      if lowerBound < grid.lowest { belowCount += count }
      if lowerBound > grid.highest { aboveCount += count }
    }
    self.moments = moments
    self.missingCount = missingCount
  }
}

extension QuantileSketch {
  /// The least value of each bin that is not empty, and how many values lie in it; rising.
  var steps: [(lowerBound: Double, count: Int)] { bins.map { (Self.lowerBound($0.key), $0.count) } }
}
