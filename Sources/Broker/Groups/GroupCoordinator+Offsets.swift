internal import Core

/// OffsetCommit, TxnOffsetCommit, OffsetFetch, OffsetDelete.
extension GroupCoordinator {
  /// OffsetCommit.
  mutating func commitOffsets(
    _ request: GroupOffsetCommit, token: ReplyToken, nowMilliseconds: Int64
  ) -> GroupDecision {
    decide(request.groupID, nowMilliseconds: nowMilliseconds) { group, effects in
      let error = group == nil ? request.errorWithoutGroup : group?.errorOfCommit(request, &effects)
      let (offsets, codes) = request.accepted(error, effects)
      effects.reply(.offsetCommit(token, codes))
      return offsets.isEmpty ? [] : [.offsetsCommitted(groupID: request.groupID, offsets: offsets)]
    }
  }

  /// TxnOffsetCommit. The caller has asked the transaction coordinator before; the offsets wait for `endTransaction`.
  mutating func stageOffsets(
    _ request: GroupOffsetCommit, producerID: Int64, token: ReplyToken, nowMilliseconds: Int64
  ) -> GroupDecision {
    decide(request.groupID, nowMilliseconds: nowMilliseconds) { group, effects in
      let error = group == nil ? request.errorWithoutGroup : group?.errorOfTransactionalCommit(request)
      let (offsets, codes) = request.accepted(error, effects)
      effects.reply(.offsetCommit(token, codes))
      guard !offsets.isEmpty else { return [] }
      return [.offsetsStaged(groupID: request.groupID, producerID: producerID, offsets: offsets)]
    }
  }

  /// The transaction of `producerID` commits or aborts: what its markers are to the partitions, this is to the groups.
  /// Can be repeated.
  func endTransaction(ofProducer producerID: Int64, isCommitted: Bool) -> GroupDecision {
    Decision(events: [.transactionEnded(producerID: producerID, isCommitted: isCommitted)], actions: [])
  }

  /// The topic is gone, and with it every group's position in it, committed or staged.
  func topicDeleted(_ topic: String) -> GroupDecision {
    Decision(events: [.topicDeleted(topic: topic)], actions: [])
  }

  /// What OffsetFetch says about one partition; offset -1 when nothing is committed.
  struct FetchedOffset: Sendable, Equatable {
    var partition: TopicPartition
    var offset: Int64 = -1
    var leaderEpoch: Int32 = -1
    var metadata = ""
    var error = ErrorCode.none
  }

  /// OffsetFetch.
  ///
  /// - Parameters:
  ///   - partitions: nil for all that the group has.
  ///   - requireStable: UNSTABLE_OFFSET_COMMIT where an open transaction decides the next offset (KIP-447).
  func fetchOffsets(of groupID: String, _ partitions: [TopicPartition]?, requireStable: Bool) -> [FetchedOffset] {
    let asked = partitions ?? offsets.partitions(of: groupID, includingStaged: requireStable)
    return asked.map { partition in
      if requireStable, offsets.isStaged(partition, of: groupID) {
        return FetchedOffset(partition: partition, error: .unstableOffsetCommit)
      }
      guard let committed = offsets.committed(partition, of: groupID) else {
        return FetchedOffset(partition: partition)
      }
      return FetchedOffset(
        partition: partition, offset: committed.offset, leaderEpoch: committed.leaderEpoch,
        metadata: committed.metadata)
    }
  }

  /// OffsetDelete (KIP-496): a topic that a member reads keeps its offsets.
  mutating func deleteOffsets(
    of groupID: String, _ partitions: [TopicPartition], token: ReplyToken, nowMilliseconds: Int64
  ) -> GroupDecision {
    decide(groupID, nowMilliseconds: nowMilliseconds) { group, effects in
      guard let group else {
        effects.reply(.offsetDelete(token, OffsetDeleteReply(error: .groupIdNotFound, partitions: [])))
        return []
      }
      guard group.members.isEmpty || group.isConsumerGroup else {
        effects.reply(.offsetDelete(token, OffsetDeleteReply(error: .nonEmptyGroup, partitions: [])))
        return []
      }
      let codes = partitions.map { partition -> ErrorCode in
        group.isSubscribed(to: partition.topic) ? .groupSubscribedToTopic : .none
      }
      effects.reply(.offsetDelete(token, OffsetDeleteReply(error: .none, partitions: codes)))
      let deleted = zip(partitions, codes).filter { $0.1 == .none }.map(\.0)
      return deleted.isEmpty ? [] : [.offsetsDeleted(groupID: groupID, partitions: deleted)]
    }
  }

  /// Offsets that nobody has used since `milliseconds`, of groups without members.
  func expiredOffsets(before milliseconds: Int64, servingSinceMilliseconds: Int64) -> [GroupEvent] {
    let candidates = Set(offsets.groupIDs).union(generations.keys).sorted()
    return candidates.compactMap { groupID in
      if let group = groups[groupID], !group.members.isEmpty || !group.pendingMembers.isEmpty { return nil }
      // A group that had members is used until its last one has gone; another one until its last commit.
      let usedAt = generations[groupID].map { max($0.startedMilliseconds, servingSinceMilliseconds) }
      if let usedAt, usedAt > milliseconds { return nil }
      let stored = offsets.groups[groupID] ?? OffsetStore.GroupOffsets()
      let expired = stored.committed.filter { $0.value.offset.commitMilliseconds <= milliseconds }.map(\.key)
      if stored.staged.isEmpty, expired.count == stored.committed.count { return .groupDeleted(groupID: groupID) }
      return expired.isEmpty ? nil : .offsetsDeleted(groupID: groupID, partitions: expired.sorted())
    }
  }
}

extension GroupOffsetCommit {
  /// A group that nobody knows has no generation that could be the right one, and no members.
  fileprivate var errorWithoutGroup: ErrorCode? {
    if generation >= 0 { return .illegalGeneration }
    return namesMember ? .unknownMemberId : nil
  }

  /// The offsets to journal, and the code of each partition.
  fileprivate func accepted(_ error: ErrorCode?, _ effects: GroupEffects) -> ([GroupEvent.Offset], [ErrorCode]) {
    if let error { return ([], partitions.map { _ in error }) }
    var offsets: [GroupEvent.Offset] = []
    let codes = partitions.map { partition -> ErrorCode in
      guard partition.metadata.utf8.count <= effects.configuration.offsetMetadataBytesMaximum else {
        return .offsetMetadataTooLarge
      }
      let committed = CommittedOffset(
        offset: partition.offset, leaderEpoch: partition.leaderEpoch, metadata: partition.metadata,
        commitMilliseconds: effects.nowMilliseconds)
      offsets.append(GroupEvent.Offset(partition: partition.partition, committed: committed))
      return .none
    }
    return (offsets, codes)
  }
}

extension Group {
  /// Whether a member reads the topic; true when the members' metadata does not say.
  func isSubscribed(to topic: String) -> Bool {
    members.values.contains { member in
      ConsumerSubscription(member.metadata(of: protocolName))?.topics.contains(topic) ?? true
    }
  }
}
