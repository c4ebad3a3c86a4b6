/// `ewma`: the sum of weighted values and the sum of weights, one behind the other.
///
/// Weights are relative to the end of the tile, a landmark that is there before its first event (Cormode, Shkapenyuk,
/// Srivastava, Xu: Forward Decay, ICDE 2009). Each term is rounded on its own and their sum is exact, so that order
/// does not matter.
enum DecayedSum {
  /// 2^(-age / halfLife), with our own arithmetic: the C library's differs between machines in the last bit.
  static func weight(age: Int64, halfLife: Int64) -> Double {
    let (halvings, rest) = max(age, 0).quotientAndRemainder(dividingBy: halfLife)
    guard halvings < 1_080 else { return 0 }
    let exponent = Double(rest) / Double(halfLife) * -0.693_147_180_559_945_3
    var sum = 1.0
    for term in stride(from: 17.0, through: 1, by: -1) { sum = 1 + exponent / term * sum }
    return Double(sign: .plus, exponent: -Int(halvings), significand: sum)
  }
}

extension FeatureRow {
  mutating func addDecayed(_ value: Double, age: Int64, halfLife: Int64, at slot: Int) {
    let weight = DecayedSum.weight(age: age, halfLife: halfLife)
    addDouble(value * weight, toSumAt: slot)
    addDouble(weight, toSumAt: slot + LimbFormat.sum.sizeBytes)
  }

  mutating func mergeDecayed(at slot: Int, _ other: borrowing FeatureRow, _ otherSlot: Int) {
    let weights = LimbFormat.sum.sizeBytes
    mergeSum(at: slot, other, otherSlot, .sum)
    mergeSum(at: slot + weights, other, otherSlot + weights, .sum)
  }
}
