internal import Core
internal import CRDKafka

// A rebalance is noted in the library's callback and acted upon here, between taking records from the library and
// handing them over. Until then the group waits, as it does inside of a callback.

extension Consumer {
  func applyRebalances(_ instance: Instance) throws {
    pendingRebalances += instance.client.callbacks.takeRebalances()
    while let event = pendingRebalances.first {
      switch event {
      case .assign(let partitions) where isClosing:
        pendingRebalances.removeFirst()
        try decline(partitions, instance)
      case .assign(let partitions):
        // Stays first in the queue while the group's offsets cannot be read: the next poll tries again.
        try accept(partitions, instance)
        pendingRebalances.removeFirst()
      case .revoke(let partitions, let isLost):
        pendingRebalances.removeFirst()
        try giveBack(partitions, isLost: isLost, instance)
      case .failed(let code):
        pendingRebalances.removeFirst()
        try forgetAll(instance)
        try instance.client.check(unsafe rd_kafka_assign(instance.client.handle, nil), while: "leave all partitions")
        throw instance.client.error(code, while: "rebalance")
      }
      pendingRebalances += instance.client.callbacks.takeRebalances()
    }
  }

  private var isCooperative: Bool { configuration.assignment == .cooperativeSticky }

  private func accept(_ partitions: [TopicPartition], _ instance: Instance) throws {
    let offsets = try startOffsets(of: partitions, instance)
    if !isCooperative { try forgetAll(instance) }
    for partition in partitions { try own(partition, startingAt: offsets[partition] ?? 0, instance) }
    guard isCooperative else { return try replaceAssignment(instance) }
    let list = RDPartitionList(offsets)
    if let error = unsafe rd_kafka_incremental_assign(instance.client.handle, list.pointer) {
      throw unsafe HeadraceError(takingOwnershipOf: error, while: "take over partitions")
    }
  }

  /// What comes to a consumer that leaves is answered, so that the group goes on, and never begun: nobody would be
  /// there to end it.
  private func decline(_ partitions: [TopicPartition], _ instance: Instance) throws {
    guard isCooperative else {
      return try instance.client.check(unsafe rd_kafka_assign(instance.client.handle, nil), while: "leave the group")
    }
    let list = RDPartitionList(partitions)
    if let error = unsafe rd_kafka_incremental_assign(instance.client.handle, list.pointer) {
      throw unsafe HeadraceError(takingOwnershipOf: error, while: "leave the group")
    }
  }

  private func startOffsets(
    of partitions: [TopicPartition], _ instance: Instance
  ) throws -> [TopicPartition: Int64] {
    try listener?.prepare(partitions, for: self)
    let committed = try committed(partitions)
    let overrides =
      try listener?.assigned(
        partitions.map { AssignedPartition(partition: $0, committed: committed[$0]) }, to: self) ?? [:]
    var starts: [TopicPartition: StartOffset] = [:]
    for partition in partitions {
      starts[partition] =
        if let override = overrides[partition] { .offset(override) } else {
          try committedStart(committed[partition], of: partition)
        }
    }
    return try resolve(starts, instance)
  }

  private func giveBack(_ partitions: [TopicPartition], isLost: Bool, _ instance: Instance) throws {
    let ours = partitions.filter { owned[$0] != nil }
    // Whatever the listener does, the group must get its answer.
    let heard = Result {
      if isLost { try listener?.lost(ours, from: self) } else { try listener?.revoked(ours, from: self) }
    }
    for partition in ours { try forget(partition, instance) }
    if isCooperative {
      let list = RDPartitionList(partitions)
      if let error = unsafe rd_kafka_incremental_unassign(instance.client.handle, list.pointer) {
        throw unsafe HeadraceError(takingOwnershipOf: error, while: "give partitions back")
      }
    } else {
      try forgetAll(instance)
      try instance.client.check(unsafe rd_kafka_assign(instance.client.handle, nil), while: "give partitions back")
    }
    try heard.get()
  }
}
