/// `percentile`: DDSketch (Masson, Rim, Lee: VLDB 2019) with bins that are fixed once and for all.
///
/// A bin holds the values between two neighbouring powers of some base: any value of it stands for all others within 1
/// %. The bin of a value is found by cubic interpolation of its logarithm between powers of two, as the authors' own
/// implementations do: additions and multiplications only, so that it is the same bin on every machine. 35 bins an
/// octave make the largest bins e^0.02 wide, which is a relative error of tanh(0.01) < 1 %. Bins never collapse and the
/// count in each is exact: merging is addition.
enum QuantileSketch {
  static let relativeAccuracy = 0.01
  private static let binsPerOctave = 35

  /// The key of zero; positive values have greater ones, negative values mirror them.
  private static let zero = 73_432
  private static let infinity = 73_431
  private static let lowest = 35 * -1_074
  static let notANumber = 2 * zero + 1

  /// A bin and its count in one word: words sort as their bins do.
  static let countBits: UInt64 = 46

  private static func logarithm(_ fraction: Double) -> Double {
    ((6.0 / 35 * fraction - 3.0 / 5) * fraction + 10.0 / 7) * fraction
  }

  /// The bin of a value; keys are in the order of values.
  static func key(_ value: Double) -> Int {
    if value == 0 { return zero }
    if value.isNaN { return notANumber }
    let magnitude = value.magnitude
    guard magnitude < .infinity else { return value < 0 ? zero - infinity : zero + infinity }
    // Rounding must not carry a value into the next octave.
    let bin = min(Int(logarithm(magnitude.significand - 1) * Double(binsPerOctave)), binsPerOctave - 1)
    let key = Int(magnitude.exponent) * binsPerOctave + bin - lowest + 1
    return value < 0 ? zero - key : zero + key
  }

  /// The value that stands for all of a bin.
  static func value(_ key: Int) -> Double {
    if key >= notANumber { return .nan }
    let distance = key - zero
    if distance == 0 { return 0 }
    let index = min(abs(distance), infinity) - 1 + lowest
    let octave = Int((Double(index) / Double(binsPerOctave)).rounded(.down))
    let middle = abs(distance) >= infinity ? .infinity : middles[index - octave * binsPerOctave]
    let magnitude = Double(sign: .plus, exponent: octave, significand: middle)
    return distance < 0 ? -magnitude : magnitude
  }

  /// In each bin between 1 and 2, the value whose relative error is the same at both ends.
  private static let middles: [Double] = (0..<binsPerOctave).map { bin in
    let (low, high) = (boundary(bin), boundary(bin + 1))
    return 2 * low * high / (low + high)
  }

  /// The value at which a bin begins, by bisection: the interpolation has no simple inverse.
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

extension FeatureRow {
  mutating func insertQuantile(_ value: Double, at slot: Int) {
    let block: UInt32 = load(slot)
    let length = blockLength(block)
    let word = UInt64(QuantileSketch.key(value)) << QuantileSketch.countBits
    let place = wordsBelow(word, at: payload(block), count: length / 8)
    let entry = payload(block) + place * 8
    if place * 8 < length, load(entry, as: UInt64.self) >> QuantileSketch.countBits == word >> QuantileSketch.countBits
    {
      return store(load(entry, as: UInt64.self) &+ 1, at: entry)
    }
    let start = resizeBlock(referredFrom: slot, length: length + 8)
    move(from: start + place * 8, to: start + place * 8 + 8, count: length - place * 8)
    store(word | 1, at: start + place * 8)
  }

  /// Adds the bins of another sketch, from the last to the first: there is room for both behind.
  mutating func mergeQuantiles(at slot: Int, _ other: borrowing FeatureRow, _ otherSlot: Int) {
    let otherBlock: UInt32 = other.load(otherSlot)
    let source = other.payload(otherBlock)
    var (mine, theirs) = (blockLength(load(slot)) / 8, other.blockLength(otherBlock) / 8)
    let added = theirs - sharedBins(at: slot, other, source, theirs)
    let start = resizeBlock(referredFrom: slot, length: (mine + added) * 8)
    var target = mine + added
    let shift = QuantileSketch.countBits
    while theirs > 0 {
      let word: UInt64 = other.load(source + (theirs - 1) * 8)
      let held: UInt64 = mine > 0 ? load(start + (mine - 1) * 8) : 0
      target -= 1
      if mine > 0, held >> shift >= word >> shift {
        let isShared = held >> shift == word >> shift
        store(isShared ? held &+ (word & (1 << shift - 1)) : held, at: start + target * 8)
        mine -= 1
        if isShared { theirs -= 1 }
      } else {
        store(word, at: start + target * 8)
        theirs -= 1
      }
    }
  }

  private func sharedBins(at slot: Int, _ other: borrowing FeatureRow, _ source: Int, _ count: Int) -> Int {
    let block: UInt32 = load(slot)
    let (start, held) = (payload(block), blockLength(block) / 8)
    let shift = QuantileSketch.countBits
    var (mine, theirs, shared) = (0, 0, 0)
    while mine < held, theirs < count {
      let left = load(start + mine * 8, as: UInt64.self) >> shift
      let right = other.load(source + theirs * 8, as: UInt64.self) >> shift
      if left == right { shared += 1 }
      if left <= right { mine += 1 }
      if right <= left { theirs += 1 }
    }
    return shared
  }

  /// The value below or at which this fraction of the values lies: the one of rank ⌊fraction · (n - 1)⌋.
  func quantile(_ fraction: Double, at slot: Int) -> Double? {
    let block: UInt32 = load(slot)
    let (start, count) = (payload(block), blockLength(block) / 8)
    let mask: UInt64 = 1 << QuantileSketch.countBits - 1
    var total: UInt64 = 0
    for bin in 0..<count { total &+= load(start + bin * 8, as: UInt64.self) & mask }
    guard total > 0 else { return nil }
    let rank = (fraction * Double(total - 1)).rounded(.down)
    var below: UInt64 = 0
    for bin in 0..<count {
      let word: UInt64 = load(start + bin * 8)
      below &+= word & mask
      if Double(below) > rank { return QuantileSketch.value(Int(word >> QuantileSketch.countBits)) }
    }
    return nil
  }
}
