internal import Columns
internal import Core
internal import Delta

/// One file of an archive, and which rows it may have, by its statistics.
struct ArchivePiece {
  let file: DataFile
  let partitions: ClosedRange<Int64>
  let offsets: ClosedRange<Int64>
  /// Microseconds.
  let eventTimes: ClosedRange<Int64>
  /// Microseconds; of rows that have one.
  let knownTimes: ClosedRange<Int64>
  let rowCount: Int64?

  private static let columns: [(name: String, type: ColumnType)] =
    [("_partition", .integer), ("_offset", .integer), ("_event_time", .timestamp), ("_known_at", .timestamp)]

  /// A file without statistics may have any row.
  init(_ file: DataFile) {
    let bounds = file.bounds(of: Self.columns)
    self.file = file
    partitions = bounds[0].integers
    offsets = bounds[1].integers
    eventTimes = bounds[2].integers
    knownTimes = bounds[3].integers
    rowCount = file.rowCount
  }

  func mayHold(_ partition: Int32) -> Bool { partitions.contains(Int64(partition)) }

  /// Whether all of its rows are of one partition, so that its bounds are those of the partition.
  var isOfOnePartition: Bool { partitions.lowerBound == partitions.upperBound }

  func times(_ clock: ArchiveClock) -> ClosedRange<Int64> {
    switch clock {
    case .event: eventTimes
    case .known: knownTimes
    }
  }
}

/// Which of an event's two times is meant.
package enum ArchiveClock: Sendable, Equatable {
  /// When it happened.
  case event
  /// When it came to the log.
  case known
}

extension ColumnBounds {
  fileprivate var integers: ClosedRange<Int64> {
    let (low, high) = (minimum?.whole ?? .min, maximum?.whole ?? .max)
    return low <= high ? low...high : .min ... .max
  }
}

extension Value {
  fileprivate var whole: Int64? {
    switch self {
    case .integer(let value), .timestamp(let value), .date(let value): value
    default: nil
    }
  }
}
