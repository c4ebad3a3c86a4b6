/// What a compaction wrote: for `PartitionLog.apply`, which puts it in place of the originals.
package struct CompactionResult: Sendable {
  struct Group: Sendable, Equatable {
    /// Base offsets of the originals, in order. The new segment has the name of the first.
    var replaced: [Int64]
    /// Of the new segment, which may be empty.
    var summary: SegmentSummary
  }

  let groups: [Group]
  /// The end of what is compacted now.
  let cleanedUpTo: Int64
  /// Offsets of abort markers of which readers need to know nothing any more.
  let droppedMarkers: Set<Int64>
}
