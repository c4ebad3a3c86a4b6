import Core
import Testing

@testable import Kafka

@Suite struct AdminTests {
  @Test func topicsComeAndGo() async throws {
    try await withNode { node in
      let admin = try Admin(node.client)
      try admin.createTopic(NewTopic(name: "a", partitionCount: 3, configuration: ["retention.ms": "86400000"]))
      let again = #expect(throws: HeadraceError.self) {
        try admin.createTopic(NewTopic(name: "a", partitionCount: 3))
      }
      #expect(again?.isKafka(.topicExists) == true)
      #expect(again?.domain == .user)
      let failures = try admin.createTopics([
        NewTopic(name: "b", partitionCount: 1), NewTopic(name: "no/slash", partitionCount: 1),
      ])
      #expect(Array(failures.keys) == ["no/slash"])
      let cluster = try admin.describeCluster()
      #expect(cluster.brokers.count == 1)
      #expect(cluster.topics.map(\.name) == ["a", "b"])
      #expect(cluster.topics.first?.partitions.map(\.id) == [0, 1, 2])
      try admin.createPartitions(topic: "a", totalCount: 5)
      #expect(try admin.describeCluster(topic: "a").topics.first?.partitions.count == 5)
      let missing = try admin.deleteTopics(["a", "nowhere"])
      #expect(Array(missing.keys) == ["nowhere"])
      #expect(missing["nowhere"]?.isKafka(.unknownTopicOrPartition) == true)
      #expect(try admin.describeCluster().topics.map(\.name) == ["b"])
    }
  }

  @Test func propertiesChangeOneByOne() async throws {
    try await withNode { node in
      let admin = try Admin(node.client)
      try admin.createTopic(NewTopic(name: "a", partitionCount: 1, configuration: ["retention.ms": "1000000"]))
      try admin.setConfiguration(["cleanup.policy": "compact"], of: .topic("a"))
      var entries = try admin.configuration(of: .topic("a"))
      #expect(entries["retention.ms"]?.value == "1000000")
      #expect(entries["retention.ms"]?.isOwn == true)
      #expect(entries["cleanup.policy"]?.value == "compact")
      try admin.setConfiguration(["retention.ms": nil], of: .topic("a"))
      entries = try admin.configuration(of: .topic("a"))
      #expect(entries["retention.ms"]?.isOwn == false)
      #expect(entries["cleanup.policy"]?.value == "compact")
      let error = #expect(throws: HeadraceError.self) {
        try admin.setConfiguration(["retention.ms": "soon"], of: .topic("a"))
      }
      #expect(error?.retry == .never)
      #expect(throws: HeadraceError.self) { try admin.configuration(of: .topic("nowhere")) }
    }
  }

  @Test func logsAreCutAndMeasured() async throws {
    try await withNode { node in
      let admin = try Admin(node.client)
      let partition = TopicPartition(topic: "a", partition: 0)
      try admin.createTopic(NewTopic(name: "a", partitionCount: 1))
      let producer = try Producer(ProducerConfiguration(client: node.client))
      var batch = ProduceBatch(topic: "a")
      for index in 1...100 {
        try batch.append(
          key: nil, value: "\(index)", timestampMilliseconds: 1_700_000_000_000 + Int64(index) * 1_000, partition: 0)
      }
      #expect(try producer.sendAndWait(batch, timeoutMilliseconds: 10_000).acknowledged == 100)
      #expect(try admin.watermarks([partition]) == [partition: Watermarks(beginning: 0, end: 100)])
      #expect(try admin.offsets(forTimes: [partition: 1_700_000_050_000]) == [partition: 49])
      #expect(try admin.offsets(forTimes: [partition: 1_700_000_050_500]) == [partition: 50])
      #expect(try admin.offsets(forTimes: [partition: 1_800_000_000_000]).isEmpty)
      #expect(try admin.deleteRecords(before: [partition: 30]) == [partition: 30])
      #expect(try admin.watermarks([partition]) == [partition: Watermarks(beginning: 30, end: 100)])
      producer.close()
    }
  }

  @Test func groupsAreListedDescribedResetAndDeleted() async throws {
    try await withNode { node in
      let admin = try Admin(node.client)
      try admin.createTopic(NewTopic(name: "a", partitionCount: 2))
      try fill("a", partitions: 2, count: 10, node.client)
      var configuration = ConsumerConfiguration(client: node.client, groupID: "readers")
      configuration.groupInstanceID = "one"
      let consumer = try Consumer(configuration)
      try consumer.subscribe(["a"])
      #expect(try consumer.collect(20).count == 20)
      let partitions = (0..<Int32(2)).map { TopicPartition(topic: "a", partition: $0) }
      try consumer.commit([partitions[0]: CommittedOffset(offset: 7)])

      #expect(try admin.listGroups() == ["readers"])
      let group = try admin.describeGroup("readers")
      #expect(group.state == "Stable")
      #expect(group.members.map(\.instanceID) == ["one"])
      #expect(group.members.first?.partitions.sorted() == partitions)
      #expect(try admin.committed(group: "readers") == [partitions[0]: CommittedOffset(offset: 7)])
      #expect(try admin.deleteGroups(["readers"])["readers"]?.isKafka(.nonEmptyGroup) == true)
      try consumer.close()
    }
  }

  @Test func aGroupWithoutMembersIsReset() async throws {
    try await withNode { node in
      let admin = try Admin(node.client)
      try admin.createTopic(NewTopic(name: "a", partitionCount: 3))
      try fill("a", partitions: 3, count: 10, node.client)
      let partitions = (0..<Int32(3)).map { TopicPartition(topic: "a", partition: $0) }
      let moved = try admin.resetOffsets(
        group: "readers", to: [partitions[0]: .beginning, partitions[1]: .end, partitions[2]: .offset(4)])
      #expect(moved == [partitions[0]: 0, partitions[1]: 10, partitions[2]: 4])
      #expect(
        try admin.committed(group: "readers", partitions: partitions)
          == moved.mapValues { CommittedOffset(offset: $0) })
      #expect(try admin.deleteGroups(["readers"]).isEmpty)
      #expect(try admin.deleteGroups(["readers"])["readers"]?.isKafka(.unknownGroup) == true)
    }
  }

  @Test func asyncCodeCallsThroughAThread() async throws {
    let node = try await Node.start()
    let admin = try Admin(node.client)
    try await admin.run { try $0.createTopic(NewTopic(name: "a", partitionCount: 1)) }
    #expect(try await admin.run { try $0.describeCluster().topics.map(\.name) } == ["a"])
    try await node.stop()
  }
}
