package import Core
package import Kafka

/// A part of one partition that is read from its first record to its last, by a reader of its own.
package struct LogRange: Sendable {
  package var partition: TopicPartition
  /// The first record, and the one behind the last.
  package var offsets: Range<Int64>

  package init(_ partition: TopicPartition, _ offsets: Range<Int64>) {
    self.partition = partition
    self.offsets = offsets
  }

  /// All that a topic has now, partition by partition.
  package static func all(of topic: String, _ client: ClientConfiguration) throws(HeadraceError) -> [LogRange] {
    let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
    defer { _ = try? consumer.close() }
    let partitions = (0..<(try consumer.partitionCount(of: topic))).map {
      TopicPartition(topic: topic, partition: $0)
    }
    let marks = try consumer.watermarks(partitions)
    return partitions.compactMap { partition in
      marks[partition].map { LogRange(partition, $0.beginning..<max($0.beginning, $0.end)) }
    }
  }

  /// Hands over the committed records, batch by batch. Blocks.
  ///
  /// - Parameter body: gets a batch and which of its records belong to the range; it returns how many of them it took,
  ///   from the first on, and gets the others again.
  package func forEachBatch(
    _ client: ClientConfiguration, _ body: (borrowing ConsumedBatch, Range<Int>) throws -> Int
  ) throws {
    guard !offsets.isEmpty else { return }
    var configuration = ConsumerConfiguration(client: client, groupID: nil)
    configuration.reportsPartitionEnds = true
    let consumer = try Consumer(configuration)
    defer { _ = try? consumer.close() }
    try consumer.assign([partition: .offset(offsets.lowerBound)])
    var position = offsets.lowerBound
    var lastProgress = WallClock.monotonic.nowMilliseconds
    while position < offsets.upperBound {
      let before = position
      let result = try consumer.poll(timeoutMilliseconds: 100) { records in
        var end = records.count
        while end > 0, records[end - 1].offset >= offsets.upperBound { end -= 1 }
        let taken = end > 0 ? try body(records, 0..<end) : 0
        if taken < end {
          try consumer.seek(partition, to: records[taken].offset)
          if taken > 0 { position = records[taken - 1].offset + 1 }
        } else {
          // What is left below the range's end is markers and holes.
          position = end < records.count ? offsets.upperBound : records.nextOffset
        }
      }
      // Behind the last record there are markers.
      if !result.endsReached.isEmpty { position = max(position, try consumer.position(of: partition)) }
      let now = WallClock.monotonic.nowMilliseconds
      if position > before { lastProgress = now }
      guard now - lastProgress <= Int64(client.requestTimeoutMilliseconds) else {
        throw HeadraceError(
          .external, "LOG_SILENT", "no record came for \((now - lastProgress) / 1_000) s, and there are more",
          place: "\(partition) at offset \(position)",
          remedy: "look after the broker; an open transaction may hide them")
      }
    }
  }
}
