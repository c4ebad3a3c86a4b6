package import Core
internal import CRDKafka

extension Consumer {
  /// The offset to commit: past the last record that was handed over, and past the transaction markers behind it.
  package func position(of partition: TopicPartition) throws(HeadraceError) -> Int64 {
    let instance = try open()
    let owner = try owner(of: partition)
    // Between polls, everything below the library's position was taken out of its queue and handed over: what lies
    // between that and our own position is markers. At any other time there may be records between them.
    guard owner.continuity.phase == .flowing, !owner.needsSeek, !owner.isPaused, !isInsidePoll, !isClosing else {
      return owner.continuity.nextOffset
    }
    let list = RDPartitionList([partition])
    try instance.client.check(
      unsafe rd_kafka_position(instance.client.handle, list.pointer), while: "read the position")
    return max(owner.continuity.nextOffset, list.elements.first?.offset ?? -1)
  }

  /// The next record handed over is the first at or after `offset`.
  package func seek(_ partition: TopicPartition, to offset: Int64) throws(HeadraceError) {
    guard offset >= 0 else {
      throw HeadraceError(.user, "NEGATIVE_OFFSET", "an offset is at least 0", place: "\(partition) offset \(offset)")
    }
    try owner(of: partition).restart(at: offset)
  }

  /// Hands over nothing of these partitions until they are resumed: back-pressure of one partition, without leaving the
  /// group.
  package func pause(_ partitions: [TopicPartition]) throws(HeadraceError) {
    let instance = try open()
    for partition in partitions { try owner(of: partition).isPaused = true }
    try pauseInLibrary(partitions, instance)
  }

  /// Goes on exactly where `pause` stopped.
  package func resume(_ partitions: [TopicPartition]) throws(HeadraceError) {
    let instance = try open()
    var resumed: [TopicPartition] = []
    for partition in partitions {
      let owner = try owner(of: partition)
      guard owner.isPaused else { continue }
      owner.isPaused = false
      // The library's idea of the position is not to be trusted after a pause.
      owner.restart(at: owner.continuity.nextOffset)
      resumed.append(partition)
    }
    guard !resumed.isEmpty else { return }
    try applySeeks(instance)
    try resumeInLibrary(resumed, instance)
  }

  /// The partitions that are paused.
  package var paused: [TopicPartition] { owned.values.filter(\.isPaused).map(\.partition).sorted() }

  func owner(of partition: TopicPartition) throws(HeadraceError) -> OwnedPartition {
    guard let owner = owned[partition] else {
      throw HeadraceError(
        .internal, "PARTITION_NOT_OWNED", "this consumer does not own the partition", place: partition.description)
    }
    return owner
  }

  func pauseInLibrary(_ partitions: [TopicPartition], _ instance: Instance) throws(HeadraceError) {
    guard !partitions.isEmpty else { return }
    let list = RDPartitionList(partitions)
    try instance.client.check(unsafe rd_kafka_pause_partitions(instance.client.handle, list.pointer), while: "pause")
  }

  func resumeInLibrary(_ partitions: [TopicPartition], _ instance: Instance) throws(HeadraceError) {
    let list = RDPartitionList(partitions)
    try instance.client.check(unsafe rd_kafka_resume_partitions(instance.client.handle, list.pointer), while: "resume")
  }

  /// Tells the library where to read on, for every partition whose position was set. What it cannot seek yet, because
  /// it is still starting to read there, is tried again at the next poll; until then nothing of that partition counts.
  func applySeeks(_ instance: Instance) throws(HeadraceError) {
    let waiting = owned.values.filter(\.needsSeek)
    guard !waiting.isEmpty else { return }
    let list = RDPartitionList(waiting.map { (key: $0.partition, value: $0.continuity.nextOffset) })
    let error = unsafe rd_kafka_seek_partitions(instance.client.handle, list.pointer, Self.seekTimeoutMilliseconds)
    if let error = unsafe error {
      let failure = unsafe HeadraceError(takingOwnershipOf: error, while: "seek")
      guard failure.retry == .sameCall else { throw failure }
    }
    let now = WallClock.monotonic.nowMilliseconds
    for element in list.elements {
      guard let partition = owned[element.partition] else { continue }
      if element.code == .none {
        partition.needsSeek = false
        partition.seekingSinceMilliseconds = nil
        continue
      }
      let since = partition.seekingSinceMilliseconds ?? now
      partition.seekingSinceMilliseconds = since
      guard now - since < Self.seekPatienceMilliseconds else {
        throw instance.client.error(element.code, while: "seek", place: element.partition.description)
      }
    }
  }

  private static let seekTimeoutMilliseconds: Int32 = 5_000
  private static let seekPatienceMilliseconds: Int64 = 30_000
}
