internal import Core

/// One committed position of a group in a partition.
struct CommittedOffset: Sendable, Equatable {
  /// The next offset to read.
  var offset: Int64
  /// -1: not told.
  var leaderEpoch: Int32
  var metadata: String
  var commitMilliseconds: Int64
}

/// The committed offsets of all groups, and the staged ones of open transactions (KIP-98, KIP-447).
///
/// A staged offset becomes the committed one when its transaction commits, unless the group committed another one after
/// it was staged, and vanishes when the transaction aborts: the earlier value was never touched.
struct OffsetStore: Sendable {
  struct Entry: Sendable, Equatable {
    var offset: CommittedOffset
    /// Later in the journal is greater. Offsets of one event have the same number.
    var sequence: UInt64
  }

  struct GroupOffsets: Sendable, Equatable {
    var committed: [TopicPartition: Entry] = [:]
    /// By producer id.
    var staged: [Int64: [TopicPartition: Entry]] = [:]

    var isEmpty: Bool { committed.isEmpty && staged.isEmpty }
  }

  private(set) var groups: [String: GroupOffsets] = [:]
  /// Which groups a transaction will touch when it ends.
  private var groupsByProducer: [Int64: Set<String>] = [:]
  private var nextSequence: UInt64 = 0

  // MARK: Reading

  /// The groups that have offsets, sorted.
  var groupIDs: [String] { groups.keys.sorted() }

  func hasOffsets(of groupID: String) -> Bool { groups[groupID] != nil }

  func committed(_ partition: TopicPartition, of groupID: String) -> CommittedOffset? {
    groups[groupID]?.committed[partition]?.offset
  }

  /// Whether the outcome of an open transaction will decide about this offset.
  func isStaged(_ partition: TopicPartition, of groupID: String) -> Bool {
    groups[groupID]?.staged.values.contains { $0[partition] != nil } ?? false
  }

  /// The partitions with committed offsets, sorted; with `staged` also those that only have staged ones.
  func partitions(of groupID: String, includingStaged: Bool = false) -> [TopicPartition] {
    guard let group = groups[groupID] else { return [] }
    var partitions = Set(group.committed.keys)
    if includingStaged { for staged in group.staged.values { partitions.formUnion(staged.keys) } }
    return partitions.sorted()
  }

  // MARK: Writing

  mutating func commit(_ offsets: [GroupEvent.Offset], of groupID: String) {
    guard !offsets.isEmpty else { return }
    for offset in offsets {
      groups[groupID, default: GroupOffsets()].committed[offset.partition] = Entry(
        offset: offset.committed, sequence: nextSequence)
    }
    nextSequence += 1
  }

  mutating func stage(_ offsets: [GroupEvent.Offset], of groupID: String, producerID: Int64) {
    guard !offsets.isEmpty else { return }
    for offset in offsets {
      groups[groupID, default: GroupOffsets()].staged[producerID, default: [:]][offset.partition] = Entry(
        offset: offset.committed, sequence: nextSequence)
    }
    groupsByProducer[producerID, default: []].insert(groupID)
    nextSequence += 1
  }

  /// The producer's transaction ended. Without staged offsets, or told again, nothing happens.
  mutating func endTransaction(of producerID: Int64, isCommitted: Bool) {
    for groupID in groupsByProducer.removeValue(forKey: producerID) ?? [] {
      let staged = groups[groupID]?.staged.removeValue(forKey: producerID) ?? [:]
      if isCommitted {
        for (partition, entry) in staged {
          if let current = groups[groupID]?.committed[partition], current.sequence > entry.sequence { continue }
          groups[groupID]?.committed[partition] = entry
        }
      }
      dropIfEmpty(groupID)
    }
  }

  mutating func delete(_ partitions: [TopicPartition], of groupID: String) {
    for partition in partitions {
      groups[groupID]?.committed[partition] = nil
    }
    dropIfEmpty(groupID)
  }

  /// A deleted group takes its staged offsets along: the transaction's other effects are not touched.
  mutating func deleteGroup(_ groupID: String) {
    for producerID in groups.removeValue(forKey: groupID)?.staged.keys.map({ $0 }) ?? [] {
      forgetGroup(groupID, ofProducer: producerID)
    }
  }

  mutating func deleteTopic(_ topic: String) {
    for groupID in groupIDs {
      guard var group = groups.removeValue(forKey: groupID) else { continue }
      group.committed = group.committed.filter { $0.key.topic != topic }
      for (producerID, staged) in group.staged {
        let rest = staged.filter { $0.key.topic != topic }
        group.staged[producerID] = rest.isEmpty ? nil : rest
        if rest.isEmpty { forgetGroup(groupID, ofProducer: producerID) }
      }
      if !group.isEmpty { groups[groupID] = group }
    }
  }

  private mutating func forgetGroup(_ groupID: String, ofProducer producerID: Int64) {
    groupsByProducer[producerID]?.remove(groupID)
    if groupsByProducer[producerID]?.isEmpty == true { groupsByProducer[producerID] = nil }
  }

  private mutating func dropIfEmpty(_ groupID: String) {
    if groups[groupID]?.isEmpty == true { groups[groupID] = nil }
  }
}
