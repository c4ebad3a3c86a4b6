package import Core
internal import CRDKafka

extension Consumer {
  /// Reads these partitions, and only these, from where the caller says. No group is joined.
  package func assign(_ starts: [TopicPartition: StartOffset]) throws(HeadraceError) {
    let instance = try open()
    let offsets = try resolve(starts, instance)
    try forgetAll(instance)
    for (partition, offset) in offsets { try own(partition, startingAt: offset, instance) }
    try replaceAssignment(instance)
  }

  /// The partitions that this consumer owns.
  package var assignment: [TopicPartition] { owned.keys.sorted() }

  /// Offsets for starts of every kind, with at most one question to the cluster per kind.
  func resolve(
    _ starts: [TopicPartition: StartOffset], _ instance: Instance
  ) throws(HeadraceError) -> [TopicPartition: Int64] {
    var starts = starts
    let fromGroup = starts.filter { $0.value == .committed }.map(\.key)
    let committed = try committed(fromGroup)
    for partition in fromGroup { starts[partition] = try committedStart(committed[partition], of: partition) }
    var offsets: [TopicPartition: Int64] = [:]
    var times: [TopicPartition: Int64] = [:]
    for (partition, start) in starts {
      switch start {
      case .offset(let offset): offsets[partition] = offset
      case .beginning: times[partition] = RDClient.LogEdge.beginning.rawValue
      case .end: times[partition] = RDClient.LogEdge.end.rawValue
      case .time(let milliseconds): times[partition] = max(milliseconds, 0)
      case .committed: break
      }
    }
    let timeout = configuration.client.requestTimeoutMilliseconds
    let found = try instance.client.startOffsets(times, timeoutMilliseconds: timeout)
    return offsets.merging(found) { first, _ in first }
  }

  /// Where a partition starts whose committed offset is known, or known to be missing.
  func committedStart(
    _ committed: CommittedOffset?, of partition: TopicPartition
  ) throws(HeadraceError) -> StartOffset {
    if let committed { return .offset(committed.offset) }
    switch configuration.startWithoutCommit {
    case .earliest: return .beginning
    case .latest: return .end
    case .fail:
      throw HeadraceError(
        .user, "NO_COMMITTED_OFFSET", "group \(configuration.groupID ?? "") has no committed offset",
        place: partition.description, remedy: "set the group's offsets, or choose where to start without them")
    }
  }

  func own(_ partition: TopicPartition, startingAt offset: Int64, _ instance: Instance) throws(HeadraceError) {
    lastOwnership += 1
    let known = owned.values.first { $0.partition.topic == partition.topic }?.topic
    let topic = if let known { known } else { try RDTopic(partition.topic, of: instance.client) }
    let new = OwnedPartition(partition, topic: topic, ownership: lastOwnership, startingAt: offset)
    owned[partition] = new
    ownedByRecordKey[new.recordKey] = new
  }

  func forget(_ partition: TopicPartition, _ instance: Instance) throws(HeadraceError) {
    guard let gone = owned.removeValue(forKey: partition) else { return }
    ownedByRecordKey[gone.recordKey] = nil
    // The library would remember the pause, for whoever owns the partition next.
    if gone.isPaused { try resumeInLibrary([partition], instance) }
    handedOver.verifiedGaps += gone.continuity.verifiedGaps
    handedOver.recoveredGaps += gone.continuity.recoveredGaps
  }

  func forgetAll(_ instance: Instance) throws(HeadraceError) {
    for partition in owned.keys { try forget(partition, instance) }
  }

  /// Tells the library to read everything that is owned, from our positions.
  func replaceAssignment(_ instance: Instance) throws(HeadraceError) {
    let positions = owned.mapValues(\.continuity.nextOffset)
    for partition in owned.values { partition.continuity.interrupt(at: partition.continuity.nextOffset) }
    let list = RDPartitionList(positions)
    try instance.client.check(unsafe rd_kafka_assign(instance.client.handle, list.pointer), while: "assign partitions")
    for partition in owned.values {
      partition.needsSeek = false
      partition.seekingSinceMilliseconds = nil
    }
    try pauseInLibrary(owned.values.filter(\.isPaused).map(\.partition), instance)
  }
}
