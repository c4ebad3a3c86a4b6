internal import Core
internal import Topology

/// The past of one partition of a source: its archive up to an offset, and its log from there on.
final class PartitionHistory {
  /// A position in the plan.
  let source: Int
  let partition: TopicPartition
  let archive: ArchiveHistory?
  let log: LogHistory?
  /// Offsets that are read, gaps included.
  let range: Range<Int64>
  /// Everything below it was taken.
  private(set) var position: Int64
  /// Times of the events so far: those of a partition do not go back when partitions are merged.
  private var reached = Int64.min

  /// - Parameters:
  ///   - range: what is left of the partition; `archive` and `log` begin there.
  init(source: Int, partition: TopicPartition, archive: ArchiveHistory?, log: LogHistory?, range: Range<Int64>) {
    self.source = source
    self.partition = partition
    self.archive = archive
    self.log = log
    self.range = range
    position = range.lowerBound
  }

  enum State {
    /// An event is there; by its time it takes its turn.
    case ready(atMilliseconds: Int64)
    /// The log was asked and has not answered.
    case waiting
    case done
  }

  func look() throws(HeadraceError) -> State {
    if let archive, let time = try archive.nextTime() {
      reached = max(reached, time)
      return .ready(atMilliseconds: reached)
    }
    if let log {
      if let time = log.nextTime(partition) {
        reached = max(reached, time)
        return .ready(atMilliseconds: reached)
      }
      guard log.isDone(partition) else { return .waiting }
    }
    position = range.upperBound
    return .done
  }

  /// The event that `look` has seen.
  func take(withValue: Bool) throws(HeadraceError) -> PastEvent? {
    var event: PastEvent?
    if let archive, try archive.nextTime() != nil {
      event = archive.take(withValue: withValue)
    } else {
      event = log?.take(partition)
    }
    if let event { position = max(position, event.offset + 1) }
    return event
  }

  /// Whether the event that `look` has seen comes from the archive.
  var isArchived: Bool { archive?.hasRow ?? false }

  /// The time of the event that `look` has seen.
  func nextTime(_ clock: ReplayCommand.Clock) -> Int64? {
    isArchived ? archive?.time(clock) : log?.time(partition, clock)
  }

  var doneOffsets: Int64 { min(position, range.upperBound) - range.lowerBound }
}
