internal import Core
internal import Kafka
internal import OfflineStore
internal import Storage
internal import Topology

extension HistoryReport {
  /// Asks archives and logs; blocks.
  ///
  /// - Parameters:
  ///   - store: of the tables; nil: archives are not looked at.
  ///   - client: nil: logs are not looked at.
  ///   - topics: those that exist.
  init(
    of plan: Plan, _ store: (any BlobStore)?, _ client: ClientConfiguration?, topics: Set<String>
  ) throws {
    let reader = try client.map { client throws(HeadraceError) in
      var configuration = ConsumerConfiguration(client: client, groupID: nil)
      configuration.reportsPartitionEnds = true
      return try Consumer(configuration)
    }
    defer { _ = try? reader?.close(timeoutMilliseconds: 1_000) }
    var sources: [Source] = []
    for source in plan.sources {
      var history = Source(name: source.name)
      var logs: [Int32: Int64] = [:]
      if let reader, topics.contains(source.topic) { logs = try Self.readLog(reader, source.topic, into: &history) }
      if let store, let archive = try ArchiveSnapshot.open(store, source: source.name) {
        try Self.read(archive, plan.name, source.topic, logs, into: &history)
      }
      sources.append(history)
    }
    self.init(sources: sources)
  }

  private static func read(
    _ archive: ArchiveSnapshot, _ topology: String, _ topic: String, _ logs: [Int32: Int64],
    into history: inout Source
  ) throws(HeadraceError) {
    for partition in archive.progress(topology: topology, topic: topic).keys.sorted() {
      guard let reach = try archive.reach(topology: topology, topic: topic, partition: partition) else { continue }
      let known = reach.knownMilliseconds
      let before = history.archive ?? known
      history.archive = min(before.lowerBound, known.lowerBound)...max(before.upperBound, known.upperBound)
      if let beginning = logs[partition], reach.nextOffset < beginning {
        history.gaps.append(
          "\(topic)/\(partition): offsets \(reach.nextOffset) to \(beginning - 1) are in neither archive nor log")
      }
    }
  }

  /// - Returns: where the log of each partition begins.
  private static func readLog(
    _ reader: Consumer, _ topic: String, into history: inout Source
  ) throws -> [Int32: Int64] {
    let partitions = (0..<(try reader.partitionCount(of: topic))).map { TopicPartition(topic: topic, partition: $0) }
    let logs = try reader.watermarks(partitions)
    history.isLogWhole = logs.values.allSatisfy { $0.beginning == 0 }
    var open = Set(logs.filter { $0.value.end > $0.value.beginning }.keys)
    if !open.isEmpty { try reader.assign(Dictionary(uniqueKeysWithValues: open.map { ($0, StartOffset.beginning) })) }
    let deadline = WallClock.monotonic.nowMilliseconds + patienceMilliseconds
    var oldest: Int64?
    while !open.isEmpty, WallClock.monotonic.nowMilliseconds < deadline {
      let result = try reader.poll(timeoutMilliseconds: 100) { records in
        guard open.remove(records.partition) != nil, records[0].timestampMilliseconds > 0 else { return }
        oldest = min(oldest ?? .max, records[0].timestampMilliseconds)
      }
      open.subtract(result.endsReached)
    }
    history.logBeginning = oldest
    return Dictionary(uniqueKeysWithValues: logs.map { ($0.key.partition, $0.value.beginning) })
  }

  private static let patienceMilliseconds: Int64 = 10_000
}
