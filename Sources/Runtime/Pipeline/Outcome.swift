/// What became of one record. Each record of a source has exactly one.
package enum Outcome: UInt8, Sendable, CaseIterable {
  /// Not older than the lateness: part of every view.
  case applied
  /// Older, and part of some window still.
  case repaired
  case filtered
  /// Its event id came before.
  case deduplicated
  /// Too old for every window: to the late topic.
  case late
  /// Against the contract, or from the future: to the dead-letter topic.
  case deadLettered
}

/// How many records of a source ended how, since the beginning of its log. Part of the state, so that the counts
/// survive restarts as exactly as the features do.
package struct OutcomeCounts: Sendable, Equatable {
  package var read: Int64 = 0
  package var applied: Int64 = 0
  package var repaired: Int64 = 0
  package var filtered: Int64 = 0
  package var deduplicated: Int64 = 0
  package var late: Int64 = 0
  package var deadLettered: Int64 = 0
  /// Records that are not in the partition of their key, or whose key is not the `key` field. Counted beside their
  /// outcome: keyed state is only right while this is zero.
  package var misplaced: Int64 = 0
  /// Rows of views that got nothing of a record, because a part of their entity's key is null.
  package var withoutEntity: Int64 = 0

  package init() {}

  /// read = applied + repaired + filtered + deduplicated + late + dead-lettered.
  package var isConserved: Bool { read == applied + repaired + filtered + deduplicated + late + deadLettered }

  @inline(__always)
  mutating func count(_ outcome: Outcome) {
    read &+= 1
    switch outcome {
    case .applied: applied &+= 1
    case .repaired: repaired &+= 1
    case .filtered: filtered &+= 1
    case .deduplicated: deduplicated &+= 1
    case .late: late &+= 1
    case .deadLettered: deadLettered &+= 1
    }
  }

  package static func + (left: Self, right: Self) -> Self {
    var sum = left
    for field in fields { sum[keyPath: field] = left[keyPath: field] &+ right[keyPath: field] }
    return sum
  }

  /// In the order in which a checkpoint keeps them.
  static let fields: [any WritableKeyPath<Self, Int64> & Sendable] = [
    \.read, \.applied, \.repaired, \.filtered, \.deduplicated, \.late, \.deadLettered, \.misplaced, \.withoutEntity,
  ]
}
