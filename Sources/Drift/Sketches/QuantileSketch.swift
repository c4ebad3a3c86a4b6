package import Core

/// Quantiles with a relative error of 1 %: DDSketch (Masson, Rim, Lee: VLDB 2019) with bins that are fixed for good.
///
/// Any value of a bin stands for all others of it within 1 %. A bin is found by cubic interpolation of the logarithm
/// between powers of two: additions and multiplications only, so that it is the same one on every machine. Bins never
/// collapse and their counts are exact: merging is addition, and the result a function of the set of values.
package struct QuantileSketch: Sendable {
  package static let relativeAccuracy = 0.01
  private static let binsPerOctave = 35
  /// The key of zero; positive values have greater ones, negative values mirror them.
  private static let zero = 73_432
  private static let infinity = 73_431
  private static let lowest = 35 * -1_074
  private static let keyCount = 2 * zero + 1

  /// Bins in pages that exist once one of their bins is not empty.
  private static let pageBins = 128
  private var pageOfKey = [UInt16](repeating: 0, count: keyCount / pageBins + 1)
  private var counts: [Int] = []
  package private(set) var count = 0

  package init() {}

  /// Adds a value; NaN is none.
  package mutating func add(_ value: Double) {
    guard !value.isNaN else { return }
    add(key: Self.key(value), count: 1)
  }

  /// Adds one column of rows of `width` values; NaN is none.
  package mutating func add(_ rows: Span<Float>, column: Int, width: Int) {
    precondition(width > 0 && column < width, "a column of other rows")
    var place = column
    while place < rows.count {
      place = addInPages(rows, from: place, width)
      guard place < rows.count else { return }
      // The value's page does not exist yet.
      add(Double(rows[place]))
      place += width
    }
  }

  /// - Returns: the place of the first value whose page does not exist; at least the number of values for none.
  private mutating func addInPages(_ rows: Span<Float>, from start: Int, _ width: Int) -> Int {
    var place = start
    var added = 0
    unsafe pageOfKey.withUnsafeBufferPointer { pages in
      unsafe counts.withUnsafeMutableBufferPointer { counts in
        while place < rows.count {
          let value = Double(rows[place])
          if !value.isNaN {
            let key = Self.key(ofSingle: value)
            let page = unsafe Int(pages[key / Self.pageBins])
            if page == 0 { break }
            unsafe counts[(page - 1) * Self.pageBins + key % Self.pageBins] += 1
            added += 1
          }
          place += width
        }
      }
    }
    count += added
    return place
  }

  /// As `key`, of a number of single precision: none of these but zero is less than the least normal double.
  @inline(__always)
  private static func key(ofSingle value: Double) -> Int {
    let magnitude = value.magnitude
    guard magnitude > 0, magnitude < .infinity else { return key(value) }
    let distance = key(ofNormal: magnitude)
    return value < 0 ? zero - distance : zero + distance
  }

  @inline(__always)
  private mutating func add(key: Int, count added: Int) {
    let page = key / Self.pageBins
    if pageOfKey[page] == 0 {
      counts.append(contentsOf: repeatElement(0, count: Self.pageBins))
      pageOfKey[page] = UInt16(counts.count / Self.pageBins)
    }
    counts[(Int(pageOfKey[page]) - 1) * Self.pageBins + key % Self.pageBins] += added
    count += added
  }

  package mutating func merge(_ other: QuantileSketch) {
    for (key, count) in other.bins { add(key: key, count: count) }
  }

  /// The bins that are not empty, in the order of their values.
  var bins: [(key: Int, count: Int)] {
    var bins: [(key: Int, count: Int)] = []
    for (page, place) in pageOfKey.enumerated() where place > 0 {
      let start = (Int(place) - 1) * Self.pageBins
      for offset in 0..<Self.pageBins where counts[start + offset] > 0 {
        bins.append((page * Self.pageBins + offset, counts[start + offset]))
      }
    }
    return bins
  }

  /// The value of rank ⌊fraction · (n - 1)⌋ within 1 %; nil when there is none.
  package func quantile(_ fraction: Double) -> Double? {
    quantiles([fraction]).first ?? nil
  }

  /// - Parameter fractions: in rising order.
  package func quantiles(_ fractions: [Double]) -> [Double?] {
    guard count > 0 else { return fractions.map { _ in nil } }
    var result: [Double?] = []
    var below = 0
    let bins = bins
    var place = bins.startIndex
    for fraction in fractions {
      let rank = Int((min(max(fraction, 0), 1) * Double(count - 1)).rounded(.down))
      while place < bins.endIndex - 1, below + bins[place].count <= rank {
        below += bins[place].count
        place += 1
      }
      result.append(Self.value(bins[place].key))
    }
    return result
  }

  /// Ten coarse bins near the deciles, each cut into `finePerCoarse` fine ones, and this sketch's own counts in them.
  /// Edges lie between bins of the sketch, so the counts are exact. Nil when there is no finite value.
  package func grid(finePerCoarse: Int = 1) -> (grid: BinGrid, counts: [Int])? {
    let bins = bins
    let finite = bins.filter { Self.value($0.key).isFinite }
    guard finePerCoarse > 0, let first = finite.first, let last = finite.last else { return nil }
    var (edges, coarse, counts): ([Double], [Int], [Int]) = ([], [], [0])
    var (below, step) = (0, 1)
    let steps = 10 * finePerCoarse
    for (key, size) in bins {
      // The edge in front of a bin serves every quantile that lies nearer to it than to the next one.
      var (isEdge, isCoarse) = (false, false)
      while step < steps, Double(below) + Double(size) / 2 >= Double(step) * Double(count) / Double(steps) {
        isEdge = true
        isCoarse = isCoarse || step % finePerCoarse == 0
        step += 1
      }
      if isEdge, below > 0, Self.value(key).isFinite {
        edges.append(Self.lowerBound(key))
        counts.append(0)
        if isCoarse { coarse.append(edges.count - 1) }
      }
      counts[counts.count - 1] += size
      below += size
    }
    let grid = BinGrid(
      edges: edges, coarseEdges: coarse, lowest: Self.lowerBound(first.key),
      highest: Self.lowerBound(last.key + 1).nextDown)
    return grid.map { ($0, counts) }
  }
}

extension QuantileSketch {
  @inline(__always)
  private static func logarithm(_ fraction: Double) -> Double {
    ((6.0 / 35 * fraction - 3.0 / 5) * fraction + 10.0 / 7) * fraction
  }

  /// The bin of a value that is not NaN; keys are in the order of values.
  static func key(_ value: Double) -> Int {
    if value == 0 { return zero }
    let magnitude = value.magnitude
    guard magnitude < .infinity else { return value < 0 ? zero - infinity : zero + infinity }
    let key =
      magnitude < .leastNormalMagnitude
      ? key(octave: Int(magnitude.exponent), magnitude.significand - 1)
      : key(ofNormal: magnitude)
    return value < 0 ? zero - key : zero + key
  }

  /// The same of a normal number, by its bits; without the zero's own key.
  @inline(__always)
  private static func key(ofNormal magnitude: Double) -> Int {
    let bits = magnitude.bitPattern
    let significand = Double(bitPattern: bits & (1 << 52 - 1) | 1_023 << 52)
    return key(octave: Int(bits >> 52) - 1_023, significand - 1)
  }

  @inline(__always)
  private static func key(octave: Int, _ fraction: Double) -> Int {
    // Rounding must not carry a value into the next octave.
    let bin = min(Int(logarithm(fraction) * Double(binsPerOctave)), binsPerOctave - 1)
    return octave * binsPerOctave + bin - lowest + 1
  }

  /// The value that stands for all of a bin.
  static func value(_ key: Int) -> Double {
    let distance = key - zero
    if distance == 0 { return 0 }
    let index = min(abs(distance), infinity) - 1 + lowest
    let octave = Int((Double(index) / Double(binsPerOctave)).rounded(.down))
    let middle = abs(distance) >= infinity ? .infinity : middles[index - octave * binsPerOctave]
    let magnitude = Double(sign: .plus, exponent: octave, significand: middle)
    return distance < 0 ? -magnitude : magnitude
  }

  /// The least value of a bin.
  static func lowerBound(_ key: Int) -> Double {
    let target = min(max(key, 0), keyCount - 1)
    let index = target - zero - 1 + lowest
    let octave = Int((Double(index) / Double(binsPerOctave)).rounded(.down))
    // Between powers of two all octaves of positive normal numbers are alike.
    guard target > zero, (-1_022...1_023).contains(octave) else { return searchedLowerBound(target) }
    return Double(sign: .plus, exponent: octave, significand: leastSignificands[index - octave * binsPerOctave])
  }

  /// By bisection over all doubles: the interpolation has no simple inverse.
  private static func searchedLowerBound(_ target: Int) -> Double {
    var (low, high) = (ordered(-.infinity), ordered(.infinity))
    while low < high {
      let middle = low + (high - low) / 2
      if Self.key(fromOrdered(middle)) < target { low = middle + 1 } else { high = middle }
    }
    return fromOrdered(low)
  }

  /// Of each bin between 1 and 2.
  private static let leastSignificands: [Double] = (0..<binsPerOctave).map { bin in
    searchedLowerBound(zero + 1 - lowest + bin)
  }

  private static func ordered(_ value: Double) -> UInt64 {
    let bits = value.bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  }

  private static func fromOrdered(_ key: UInt64) -> Double {
    Double(bitPattern: key >> 63 == 1 ? key & ~(1 << 63) : ~key)
  }

  /// In each bin between 1 and 2, the value whose relative error is the same at both ends.
  private static let middles: [Double] = (0..<binsPerOctave).map { bin in
    let (low, high) = (boundary(bin), boundary(bin + 1))
    return 2 * low * high / (low + high)
  }

  /// The fraction of an octave at which a bin begins, plus one.
  private static func boundary(_ bin: Int) -> Double {
    let wanted = Double(bin) / Double(binsPerOctave)
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if logarithm(middle) < wanted { low = middle } else { high = middle }
    }
    return 1 + (bin == binsPerOctave ? 1 : low)
  }
}

extension QuantileSketch: Equatable {
  package static func == (left: QuantileSketch, right: QuantileSketch) -> Bool {
    left.bins.elementsEqual(right.bins) { $0 == $1 }
  }
}

extension QuantileSketch {
  package var encoded: [UInt8] {
    var writer = SketchWriter(.quantiles)
    let bins = bins
    writer.append(count: bins.count)
    var previous = 0
    for (key, count) in bins {
      writer.append(count: key - previous)
      writer.append(count: count)
      previous = key
    }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(HeadraceError) {
    self = try HeadraceError.decoding { () throws(SketchFault) in
      var reader = try SketchReader(bytes[...], .quantiles)
      var sketch = QuantileSketch()
      var key = 0
      for index in 0..<(try reader.elementCount(bytesEach: 2)) {
        let (step, size) = (try reader.count(), try reader.count())
        let (sum, overflow) = sketch.count.addingReportingOverflow(size)
        guard step < Self.keyCount - key, size > 0, step > 0 || index == 0, !overflow, sum <= 1 << 60 else {
          throw .notCanonical("bins")
        }
        key += step
        sketch.add(key: key, count: size)
      }
      try reader.finish()
      return sketch
    }
  }
}
