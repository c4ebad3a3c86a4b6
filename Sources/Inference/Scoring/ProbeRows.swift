internal import Core

/// Rows that are hard to get right: values at the model's own thresholds and beside them, missing ones, infinities,
/// zeros of both signs, numbers next to zero, categories known and unknown.
package struct ProbeRows {
  /// As many as a block holds, and fewer of very wide ones.
  static func rowCount(_ ensemble: TreeEnsemble) -> Int { max(1, min(64, (1 << 20) / max(ensemble.featureCount, 1))) }

  package private(set) var values: [Float] = []

  package init(_ ensemble: TreeEnsemble, rowCount: Int, seed: UInt64 = 1) {
    let interesting = Self.interestingValues(ensemble)
    var generator = SplitMix64(seed: seed)
    values.reserveCapacity(rowCount * ensemble.featureCount)
    for _ in 0..<rowCount {
      for feature in 0..<ensemble.featureCount {
        values.append(Self.value(interesting[feature] ?? [], &generator))
      }
    }
  }

  private static let special: [Float] = [
    .nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 1e-35, -1e-35,
    Float(1e-35).nextUp, .greatestFiniteMagnitude, -0.5, -1, 0.5, 2_147_483_648, 16_777_216, 1e9,
  ]

  private static func value(_ interesting: [Float], _ generator: inout SplitMix64) -> Float {
    let choice = generator.next() % 16
    if choice < 3 || interesting.isEmpty { return special[Int(generator.next() % UInt64(special.count))] }
    let value = interesting[Int(generator.next() % UInt64(interesting.count))]
    return choice < 6 ? value.nextUp : choice < 8 ? value.nextDown : value
  }

  /// Thresholds and categories by feature.
  private static func interestingValues(_ ensemble: TreeEnsemble) -> [Int: [Float]] {
    var values: [Int: [Float]] = [:]
    for tree in ensemble.trees {
      for case .split(let split, _, _) in tree.nodes {
        switch split.test {
        case .atMost(let value), .equals(let value): values[split.feature, default: []].append(value)
        case .isMember(let set):
          for member in set.members.prefix(16) { values[split.feature, default: []].append(Float(member)) }
        case .isPresent: break
        }
      }
    }
    return values
  }
}
