internal import Core
internal import Kafka

/// Holds a window that is over until the dead letters that were written with its predictions are read: both are in one
/// transaction, in two topics.
struct DeadLetterGate {
  /// What cannot be read holds nothing up for ever.
  private static let patienceMilliseconds: Int64 = 10_000

  private let partitions: [TopicPartition]
  /// The ends when a window was first due.
  private var targets: [TopicPartition: Int64]?
  private var sinceMilliseconds: Int64 = 0

  init(_ partitions: [TopicPartition]) { self.partitions = partitions }

  /// - Returns: whether windows that are due may be closed.
  mutating func isOpen(_ reader: Consumer, nowMilliseconds: Int64) throws(HeadraceError) -> Bool {
    guard !partitions.isEmpty else { return true }
    let targets: [TopicPartition: Int64]
    if let known = self.targets {
      targets = known
    } else {
      targets = try reader.watermarks(partitions).mapValues(\.end)
      self.targets = targets
      sinceMilliseconds = nowMilliseconds
    }
    if nowMilliseconds - sinceMilliseconds < Self.patienceMilliseconds {
      for (partition, end) in targets where try reader.position(of: partition) < end { return false }
    }
    self.targets = nil
    return true
  }
}
