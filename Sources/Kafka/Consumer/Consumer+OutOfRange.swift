internal import Core
internal import CRDKafka

extension Consumer {
  /// The broker has no record at our position, or the library says so.
  func handleOutOfRange(_ partition: OwnedPartition, of instance: Instance) throws(HeadraceError) {
    let due = partition.continuity.nextOffset
    guard let log = try watermarks([partition.partition])[partition.partition] else { return }
    if due >= log.beginning && due <= log.end {
      // A false alarm (librdkafka before 2.2 raises one when a TLS connection closes): read on.
      return try restartReading(partition, at: due, instance)
    }
    switch configuration.outOfRange {
    case .fail:
      throw due > log.end
        ? HeadraceError(
          .external, "LOG_TRUNCATED", "offset \(due) is due, and the log ends at \(log.end)",
          place: partition.partition.description,
          remedy: "the topic was recreated, or its broker lost records: find out which, then set the group's offsets")
        : HeadraceError(
          .external, "RECORDS_DELETED", "offset \(due) is due, and the log begins at \(log.beginning)",
          place: partition.partition.description,
          remedy: "retention was shorter than the pause of this reader: set the group's offsets, and raise retention")
    case .earliest: try restartReading(partition, at: log.beginning, instance)
    case .latest: try restartReading(partition, at: log.end, instance)
    }
  }

  /// The library stopped reading the partition, and a seek does not start it again: hand it over anew.
  private func restartReading(
    _ partition: OwnedPartition, at offset: Int64, _ instance: Instance
  ) throws(HeadraceError) {
    partition.continuity.interrupt(at: offset)
    guard configuration.assignment == .cooperativeSticky, configuration.groupID != nil else {
      return try replaceAssignment(instance)
    }
    let list = RDPartitionList([(key: partition.partition, value: offset)])
    if let error = unsafe rd_kafka_incremental_unassign(instance.client.handle, list.pointer)
      ?? rd_kafka_incremental_assign(instance.client.handle, list.pointer)
    {
      throw unsafe HeadraceError(takingOwnershipOf: error, while: "read on after a reset")
    }
  }
}
