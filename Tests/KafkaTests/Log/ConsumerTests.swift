import Broker
import Core
import Testing

@testable import Kafka

/// Reading from the embedded broker: where it starts, when it returns, what it says about logs that moved away.
@Suite struct ConsumerTests {
  private static let partition = TopicPartition(topic: "a", partition: 0)

  private static func reader(
    _ node: Node, _ change: (inout ConsumerConfiguration) -> Void = { _ in }
  ) throws -> Consumer {
    var configuration = ConsumerConfiguration(client: node.client, groupID: nil)
    change(&configuration)
    return try Consumer(configuration)
  }

  @Test(arguments: ProducerConfiguration.Compression.allCases)
  func everyCodecComesBack(codec: ProducerConfiguration.Compression) async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 1))
      var configuration = ProducerConfiguration(client: node.client)
      configuration.compression = codec
      let producer = try Producer(configuration)
      var batch = ProduceBatch(topic: "a")
      for index in 0..<1_000 {
        try batch.append(key: "key \(index % 7)", value: "value \(index)", partition: 0)
        try batch.appendHeader("n", "\(index)")
      }
      #expect(try producer.sendAndWait(batch, timeoutMilliseconds: 10_000).acknowledged == 1_000)
      let reader = try Self.reader(node)
      try reader.assign([Self.partition: .beginning])
      let seen = try reader.collect(1_000)
      #expect(seen.map(\.value) == (0..<1_000).map { "value \($0)" })
      #expect(seen.map(\.headers) == (0..<1_000).map { ["n=\($0)"] })
      try reader.close()
      producer.close()
    }
  }

  @Test func keysAreWhereJavaPutsThem() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 5))
      let producer = try Producer(ProducerConfiguration(client: node.client))
      var byLibrary = ProduceBatch(topic: "a")
      var byCore = ProduceBatch(topic: "a", partitioner: .murmur2, partitionCount: 5)
      for index in 0..<200 {
        try byLibrary.append(key: "key \(index)", value: "library")
        try byCore.append(key: "key \(index)", value: "core")
      }
      #expect(try producer.sendAndWait(byLibrary, timeoutMilliseconds: 10_000).acknowledged == 200)
      #expect(try producer.sendAndWait(byCore, timeoutMilliseconds: 10_000).acknowledged == 200)
      let reader = try Self.reader(node)
      let partitions = (0..<Int32(5)).map { TopicPartition(topic: "a", partition: $0) }
      try reader.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }))
      let seen = try reader.collect(400)
      for (_, records) in Dictionary(grouping: seen, by: \.key) {
        #expect(records.count == 2 && records[0].partition == records[1].partition)
      }
      #expect(Set(seen.map(\.partition)).count == 5)
      try reader.close()
      producer.close()
    }
  }

  @Test func readingStartsWhereItIsTold() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 1))
      let producer = try Producer(ProducerConfiguration(client: node.client))
      var batch = ProduceBatch(topic: "a")
      for index in 0..<10 {
        try batch.append(
          key: nil, value: "\(index)", timestampMilliseconds: 1_700_000_000_000 + Int64(index), partition: 0)
      }
      _ = try producer.sendAndWait(batch, timeoutMilliseconds: 10_000)
      for (start, first) in [
        (StartOffset.beginning, Int64(0)), (.offset(3), 3), (.time(1_700_000_000_006), 6),
      ] {
        let reader = try Self.reader(node)
        try reader.assign([Self.partition: start])
        #expect(try reader.collect(1).first?.offset == first)
        try reader.close()
      }
      for start in [StartOffset.end, .time(1_800_000_000_000)] {
        let reader = try Self.reader(node)
        try reader.assign([Self.partition: start])
        #expect(try reader.position(of: Self.partition) == 10)
        try reader.close()
      }
      producer.close()
    }
  }

  @Test func aRecordIsHandedOverWhenItComes() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 1))
      let reader = try Self.reader(node)
      try reader.assign([Self.partition: .beginning])
      try reader.poll(timeoutMilliseconds: 500) { _ in }
      let producer = try Producer(ProducerConfiguration(client: node.client))
      var batch = ProduceBatch(topic: "a")
      try batch.append(key: nil, value: "now", partition: 0)
      _ = try producer.sendAndWait(batch, timeoutMilliseconds: 10_000)
      let start = WallClock.monotonic.nowMilliseconds
      var seen = 0
      while seen == 0 { try reader.poll(timeoutMilliseconds: 10_000) { seen += $0.count } }
      #expect(WallClock.monotonic.nowMilliseconds - start < 5_000)
      try reader.close()
      producer.close()
    }
  }

  @Test func aPollIsWokenFromAnotherThread() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 1))
      let reader = try Self.reader(node)
      try reader.assign([Self.partition: .beginning])
      let waker = try reader.waker()
      let start = WallClock.monotonic.nowMilliseconds
      try BlockingThread.start(name: "waker") {
        for _ in 0..<20 {
          Sleep.milliseconds(50)
          waker.wake()
        }
      }
      for _ in 0..<5 { try reader.poll(timeoutMilliseconds: 30_000) { _ in } }
      #expect(WallClock.monotonic.nowMilliseconds - start < 20_000)
      try reader.close()
    }
  }

  @Test func endsAreReported() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 2))
      try fill("a", partitions: 2, count: 10, node.client)
      let reader = try Self.reader(node) { $0.reportsPartitionEnds = true }
      let partitions = (0..<Int32(2)).map { TopicPartition(topic: "a", partition: $0) }
      try reader.assign([partitions[0]: .beginning, partitions[1]: .beginning])
      var ended: Set<TopicPartition> = []
      var records = 0
      let deadline = WallClock.monotonic.nowMilliseconds + 20_000
      while ended.count < 2, WallClock.monotonic.nowMilliseconds < deadline {
        let result = try reader.poll(timeoutMilliseconds: 200) { _ in }
        ended.formUnion(result.endsReached)
        records += result.records
      }
      #expect(ended == Set(partitions))
      #expect(records == 20)
      try reader.close()
    }
  }

  @Test func recordsThatRetentionTookAreNotSkippedInSilence() async throws {
    try await withNode { node in
      let admin = try Admin(node.client)
      try admin.createTopic(NewTopic(name: "a", partitionCount: 1))
      try fill("a", partitions: 1, count: 100, node.client)
      _ = try admin.deleteRecords(before: [Self.partition: 40])
      let strict = try Self.reader(node)
      try strict.assign([Self.partition: .offset(10)])
      let error = #expect(throws: HeadraceError.self) { _ = try strict.collect(1) }
      #expect(error?.code == "RECORDS_DELETED")
      #expect(error?.place == "a/0")
      // The caller may decide otherwise, on the same consumer.
      try strict.assign([Self.partition: .offset(50)])
      #expect(try strict.collect(1).first?.offset == 50)
      try strict.close()
      let lenient = try Self.reader(node) { $0.outOfRange = .earliest }
      try lenient.assign([Self.partition: .offset(10)])
      #expect(try lenient.collect(60).map(\.offset) == Array(40..<100))
      try lenient.close()
    }
  }

  @Test func aLogThatLostItsEndIsNoticed() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 1))
      try fill("a", partitions: 1, count: 10, node.client)
      let reader = try Self.reader(node)
      try reader.assign([Self.partition: .offset(50)])
      let error = #expect(throws: HeadraceError.self) { _ = try reader.collect(1) }
      #expect(error?.code == "LOG_TRUNCATED")
      try reader.close()
    }
  }

  @Test func aClosureThatThrowsGetsTheSameRecordsAgain() async throws {
    struct NotNow: Error {}
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 1))
      try fill("a", partitions: 1, count: 10, node.client)
      let reader = try Self.reader(node)
      try reader.assign([Self.partition: .beginning])
      var refused: [Int64] = []
      while refused.isEmpty {
        do {
          try reader.poll(timeoutMilliseconds: 1_000) { batch in
            refused.append(batch.firstOffset)
            throw NotNow()
          }
        } catch is NotNow { continue }
      }
      #expect(refused == [0])
      #expect(try reader.position(of: Self.partition) == 0)
      #expect(try reader.collect(10).map(\.offset) == Array(0..<10))
      try reader.close()
    }
  }

  @Test func closingDoesNotWaitForADeadBroker() async throws {
    let node = try await Node.start()
    let thread = try BlockingThread(name: "reader")
    let reader = try await Confined(on: thread) {
      try Admin(node.client).createTopic(NewTopic(name: "a", partitionCount: 1))
      let reader = try Consumer(ConsumerConfiguration(client: node.client, groupID: "g"))
      try reader.subscribe(["a"])
      try reader.poll(timeoutMilliseconds: 1_000) { _ in }
      return reader
    }
    try await node.stop()
    let milliseconds = try await reader.run { reader in
      let start = WallClock.monotonic.nowMilliseconds
      _ = try reader.close(timeoutMilliseconds: 2_000)
      return WallClock.monotonic.nowMilliseconds - start
    }
    #expect(milliseconds < 10_000)
  }

  @Test func topicsThatDoNotExistAreNamed() async throws {
    try await withNode { configuration in
      configuration.topics.isAutoCreated = false
    } _: { node in
      let reader = try Consumer(ConsumerConfiguration(client: node.client, groupID: "g"))
      try reader.subscribe(["nowhere"])
      let error = #expect(throws: HeadraceError.self) { _ = try reader.collect(1) }
      #expect(error?.isKafka(.unknownTopicOrPartition) == true)
      #expect(error?.place == "nowhere")
      try reader.close()
    }
  }
}
