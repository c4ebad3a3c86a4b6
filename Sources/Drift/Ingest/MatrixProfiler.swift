internal import CDrift

/// Counts batches of feature rows into one profile per feature: the hot path of the monitors.
///
/// Rows are those that models are given: row-major single precision, NaN for missing. The result is what adding every
/// value to a `NumericProfile` would give, bit for bit. Nothing is allocated per batch. Memory: 4 KiB a feature for
/// exact sums, and 64 bytes for each edge of sixteen features.
package struct MatrixProfiler: Sendable {
  private static let lanes = Int(HEADRACE_DRIFT_LANES)
  /// Rows whose values stay in the first cache while every loop passes over them.
  private static let blockRows = 256
  /// Exact sums of so many values fit into their words.
  private static let rowsPerFold = 1 << 15
  /// Beside a grid's own edges: least number of all, and both ends of the range.
  private static let extraEdges = 3

  package let grids: [BinGrid]
  /// The first feature of each group of sixteen; the last group may overlap the one before.
  private let groupStarts: [Int]
  private let edgesPerGroup: Int
  /// For each group, edge and lane.
  private let edges: [Float]
  private var counts: [UInt32]
  private var minima: [Float]
  private var maxima: [Float]
  private var positiveInfinities: [UInt32]
  private var negativeInfinities: [UInt32]
  /// For each feature and exponent: the sum of the significands, and that of their squares.
  private var sums: [UInt64]
  private var rowsSinceFold = 0
  /// What was counted before words were emptied.
  private var folded: [NumericProfile]
  /// Rows of fewer than sixteen features, made wide enough to be read sixteen at a time.
  private var widened: [Float]

  /// - Parameter grids: one for each feature, in the order of the columns of the rows.
  package init(_ grids: [BinGrid]) {
    self.grids = grids
    let lanes = Self.lanes
    let groups = (grids.count + lanes - 1) / lanes
    groupStarts = (0..<groups).map { min($0 * lanes, max(grids.count - lanes, 0)) }
    edgesPerGroup = (grids.map(\.edges.count).max() ?? 0) + Self.extraEdges
    var edges = [Float](repeating: .nan, count: groups * edgesPerGroup * lanes)
    for (group, start) in groupStarts.enumerated() {
      for lane in 0..<min(lanes, grids.count - start) {
        for (place, edge) in Self.edges(of: grids[start + lane]).enumerated() {
          edges[(group * edgesPerGroup + place) * lanes + lane] = edge
        }
      }
    }
    self.edges = edges
    counts = .init(repeating: 0, count: edges.count)
    minima = .init(repeating: .infinity, count: groups * lanes)
    maxima = .init(repeating: -.infinity, count: groups * lanes)
    positiveInfinities = .init(repeating: 0, count: groups * lanes)
    negativeInfinities = .init(repeating: 0, count: groups * lanes)
    sums = .init(repeating: 0, count: grids.count * Int(HEADRACE_DRIFT_SUM_WORDS))
    folded = grids.map { NumericProfile($0) }
    widened = grids.count < lanes ? .init(repeating: .nan, count: Self.blockRows * lanes) : []
  }

  /// The grid's edges as single precision sees them: a value reaches the one exactly when it reaches the other.
  private static func edges(of grid: BinGrid) -> [Float] {
    [-.infinity, roundedUp(grid.lowest), above(grid.highest)] + grid.edges.map(roundedUp)
  }

  /// The least float that is not below an edge.
  private static func roundedUp(_ edge: Double) -> Float {
    let nearest = Float(edge)
    return Double(nearest) < edge ? nearest.nextUp : nearest
  }

  /// The least float that is above the range.
  private static func above(_ highest: Double) -> Float {
    let nearest = Float(highest)
    return Double(nearest) > highest ? nearest : nearest.nextUp
  }

  /// Adds rows.
  ///
  /// - Precondition: `rows` holds a whole number of rows of as many values as there are grids.
  package mutating func add(_ rows: Span<Float>) {
    let width = grids.count
    precondition(width > 0 && rows.count % width == 0, "rows of another width than the grids")
    unsafe rows.withUnsafeBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      var row = 0
      let end = rows.count / width
      while row < end {
        let size = min(Self.blockRows, end - row)
        if rowsSinceFold + size > Self.rowsPerFold { fold() }
        unsafe addBlock(base + row * width, size)
        rowsSinceFold += size
        row += size
      }
    }
  }

  private mutating func addBlock(_ rows: UnsafePointer<Float>, _ rowCount: Int) {
    let width = grids.count
    unsafe sums.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      unsafe headrace_drift_sum_rows(rows, rowCount, width, sums)
    }
    guard width < Self.lanes else {
      for (group, start) in groupStarts.enumerated() { unsafe count(rows + start, rowCount, stride: width, group) }
      return
    }
    for row in 0..<rowCount {
      for feature in 0..<width { widened[row * Self.lanes + feature] = unsafe rows[row * width + feature] }
    }
    // Taken out, so that two parts of the profiler can be changed at once.
    let wide = widened
    unsafe wide.withUnsafeBufferPointer { wide in
      guard let wide = wide.baseAddress else { return }
      unsafe count(wide, rowCount, stride: Self.lanes, 0)
    }
  }

  private mutating func count(_ rows: UnsafePointer<Float>, _ rowCount: Int, stride: Int, _ group: Int) {
    let first = group * edgesPerGroup * Self.lanes
    unsafe edges.withUnsafeBufferPointer { edges in
      unsafe counts.withUnsafeMutableBufferPointer { counts in
        guard let edges = edges.baseAddress, let counts = counts.baseAddress else { return }
        unsafe headrace_drift_count_rows(rows, rowCount, stride, edges + first, edgesPerGroup, counts + first)
      }
    }
    let lane = group * Self.lanes
    unsafe minima.withUnsafeMutableBufferPointer { minima in
      unsafe maxima.withUnsafeMutableBufferPointer { maxima in
        unsafe positiveInfinities.withUnsafeMutableBufferPointer { positive in
          unsafe negativeInfinities.withUnsafeMutableBufferPointer { negative in
            guard let minima = minima.baseAddress, let maxima = maxima.baseAddress,
              let positive = positive.baseAddress, let negative = negative.baseAddress
            else { return }
            unsafe headrace_drift_extremes_rows(
              rows, rowCount, stride, minima + lane, maxima + lane, positive + lane, negative + lane)
          }
        }
      }
    }
  }
}

extension MatrixProfiler {
  /// The profile of each feature over everything that was added.
  package var profiles: [NumericProfile] {
    var copy = self
    copy.fold()
    return copy.folded
  }

  /// Begins a new window on the same grids.
  package mutating func removeAll() {
    emptyWords()
    folded = grids.map { NumericProfile($0) }
  }

  /// Moves what words have counted into the profiles.
  private mutating func fold() {
    guard rowsSinceFold > 0 else { return }
    for (group, start) in groupStarts.enumerated() {
      let done = group == 0 ? 0 : groupStarts[group - 1] + Self.lanes
      for feature in max(start, done)..<min(start + Self.lanes, grids.count) {
        var profile = NumericProfile(grids[feature])
        fill(&profile, group, lane: feature - start)
        fillSums(&profile.moments, feature)
        folded[feature].merge(profile)
      }
    }
    emptyWords()
  }

  private func fill(_ profile: inout NumericProfile, _ group: Int, lane: Int) {
    let reached = (0..<edgesPerGroup).map { Int(counts[(group * edgesPerGroup + $0) * Self.lanes + lane]) }
    let valid = reached[0]
    profile.missingCount = rowsSinceFold - valid
    profile.belowCount = valid - reached[1]
    profile.aboveCount = reached[2]
    var before = valid
    for (bin, count) in reached[Self.extraEdges...].prefix(profile.grid.edges.count).enumerated() {
      profile.counts[bin] = before - count
      before = count
    }
    profile.counts[profile.grid.edges.count] = before
    let slot = group * Self.lanes + lane
    profile.moments.positiveInfinityCount = Int(positiveInfinities[slot])
    profile.moments.negativeInfinityCount = Int(negativeInfinities[slot])
    profile.moments.count = valid - Int(positiveInfinities[slot]) - Int(negativeInfinities[slot])
    profile.moments.minimum = Double(minima[slot] + 0)
    profile.moments.maximum = Double(maxima[slot] + 0)
  }

  private func fillSums(_ moments: inout Moments, _ feature: Int) {
    // Exponent 255 is what is not finite.
    for exponent in 0..<255 {
      let place = feature * Int(HEADRACE_DRIFT_SUM_WORDS) + exponent * 2
      let square = sums[place + 1]
      guard square != 0 else { continue }
      let weight = max(exponent, 1) - 150
      let sum = Int64(bitPattern: sums[place])
      moments.sum.add(UInt128(sum.magnitude), exponent: weight, isNegative: sum < 0)
      moments.squares.add(UInt128(square), exponent: 2 * weight, isNegative: false)
    }
  }

  private mutating func emptyWords() {
    for index in counts.indices { counts[index] = 0 }
    for index in minima.indices {
      minima[index] = .infinity
      maxima[index] = -.infinity
      positiveInfinities[index] = 0
      negativeInfinities[index] = 0
    }
    for index in sums.indices { sums[index] = 0 }
    rowsSinceFold = 0
  }
}
