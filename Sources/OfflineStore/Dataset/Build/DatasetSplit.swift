internal import Core

/// Which rows are for training and which for testing.
package enum DatasetSplit: Sendable, Equatable {
  case none
  /// The first share of the rows by time trains, the rest tests.
  case time(Double)
  /// A share of the entities, by the hash of their keys, trains: no entity is on both sides.
  case entity(Double)

  /// `time:0.8`, `entity:0.8`; nil when it is neither.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let share = Double(parts[1]), share > 0, share < 1 else { return nil }
    switch parts[0] {
    case "time": self = .time(share)
    case "entity": self = .entity(share)
    default: return nil
    }
  }

  package var text: String {
    switch self {
    case .none: "none"
    case .time(let share): "time:\(share)"
    case .entity(let share): "entity:\(share)"
    }
  }

  /// The names of its parts; files begin with them.
  package var parts: [String] { self == .none ? ["data"] : ["train", "test"] }

  /// The part of each row; nothing when there is one part only.
  ///
  /// - Parameters:
  ///   - times: of each row, for a split by time.
  ///   - entityHashes: of each row's keys, for a split by entity.
  func assign(timesMilliseconds times: [Int64], entityHashes: [UInt64]) -> [UInt8] {
    switch self {
    case .none: return []
    case .time(let share):
      let sorted = times.sorted()
      guard !sorted.isEmpty else { return [] }
      // Rows of one time stay together.
      let border = sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
      return times.map { $0 < border ? 0 : 1 }
    case .entity(let share):
      return entityHashes.map { Double($0 >> 11) / Double(UInt64(1) << 53) < share ? 0 : 1 }
    }
  }
}
