internal import Core

extension OffsetStore {
  /// An event carries no more offsets than this, so that it stays a small journal frame.
  private static let offsetsPerEventMaximum = 1_000

  /// The fewest events that make an equal store, in an order that is always the same.
  ///
  /// Only the order within a partition counts, and only where a staged offset meets committed ones; so a group without
  /// open transactions is one event, and another one is as many as its commits and stagings alternate.
  func snapshotEvents() -> [GroupEvent] {
    var events: [GroupEvent] = []
    for (groupID, group) in groups.sorted(by: { $0.key < $1.key }) {
      for run in runs(of: group) {
        for start in stride(from: 0, to: run.offsets.count, by: Self.offsetsPerEventMaximum) {
          let part = Array(run.offsets[start..<min(start + Self.offsetsPerEventMaximum, run.offsets.count)])
          events.append(
            run.producerID.map { .offsetsStaged(groupID: groupID, producerID: $0, offsets: part) }
              ?? .offsetsCommitted(groupID: groupID, offsets: part))
        }
      }
    }
    return events
  }

  private struct Run {
    var producerID: Int64?
    var offsets: [GroupEvent.Offset]
  }

  private struct Item {
    var sequence: UInt64
    var producerID: Int64?
    var offset: GroupEvent.Offset

    /// -1 is no producer's id.
    var order: (UInt64, Int64, TopicPartition) { (sequence, producerID ?? -1, offset.partition) }
  }

  private func runs(of group: GroupOffsets) -> [Run] {
    let isOrderNeeded = !group.staged.isEmpty
    var items = group.committed.map { partition, entry in
      Item(
        sequence: isOrderNeeded ? entry.sequence : 0, producerID: nil,
        offset: GroupEvent.Offset(partition: partition, committed: entry.offset))
    }
    for (producerID, staged) in group.staged {
      items += staged.map { partition, entry in
        Item(
          sequence: entry.sequence, producerID: producerID,
          offset: GroupEvent.Offset(partition: partition, committed: entry.offset))
      }
    }
    var runs: [Run] = []
    for item in items.sorted(by: { $0.order < $1.order }) {
      if runs.isEmpty || runs[runs.count - 1].producerID != item.producerID {
        runs.append(Run(producerID: item.producerID, offsets: []))
      }
      runs[runs.count - 1].offsets.append(item.offset)
    }
    // Within a run no partition comes twice: sorted by partition, equal stores have equal snapshots.
    for index in runs.indices { runs[index].offsets.sort { $0.partition < $1.partition } }
    return runs
  }
}
