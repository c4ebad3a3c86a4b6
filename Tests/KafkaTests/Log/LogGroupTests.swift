import Core
import Testing

@testable import Kafka

/// Groups at the embedded broker.
@Suite struct LogGroupTests {
  /// Records come while members join and leave; each is read once, because whoever gives a partition back commits
  /// first.
  @Test(arguments: [ConsumerConfiguration.AssignmentStrategy.range, .roundRobin, .cooperativeSticky])
  func everyRecordIsReadOnceByTheGroup(strategy: ConsumerConfiguration.AssignmentStrategy) async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "work", partitionCount: 6))
      var configuration = ConsumerConfiguration(client: node.client, groupID: "crew")
      configuration.assignment = strategy
      var members: [Consumer] = []
      var seen: [String: Int] = [:]
      let join: () throws -> Void = {
        let recorder = Recorder()
        recorder.commitsOnRevoke = true
        let member = try Consumer(configuration, listener: recorder)
        try member.subscribe(["work"])
        members.append(member)
      }
      let poll: () throws -> Void = {
        for member in members {
          try member.poll(timeoutMilliseconds: 10) { batch in
            for record in batch.seen() { seen[record.value ?? "", default: 0] += 1 }
          }
        }
      }
      var written = 0
      for step in 0..<8 {
        if step == 0 || step == 2 || step == 4 { try join() }
        if step == 6 { try members.removeFirst().close() }
        try append("work", partitions: 6, from: written, count: 50, node.client)
        written += 50
        let deadline = WallClock.monotonic.nowMilliseconds + 20_000
        while seen.count < written * 6 {
          try #require(WallClock.monotonic.nowMilliseconds < deadline, "step \(step): \(seen.count) of \(written * 6)")
          try poll()
        }
      }
      #expect(seen.values.allSatisfy { $0 == 1 })
      #expect(Set(members.flatMap(\.assignment)).count == 6)
      for member in members { #expect(try member.close()) }
    }
  }

  /// However far joining has come when it closes. By range: librdkafka 2.0.2 ends the process when the leader of a
  /// cooperative group is closed before it has assigned anything.
  @Test func whoLeavesBeginsNothing() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "work", partitionCount: 4))
      var configuration = ConsumerConfiguration(client: node.client, groupID: "hasty")
      configuration.assignment = .range
      var declined = 0
      for round in 0..<24 {
        let heard = Recorder()
        let member = try Consumer(configuration, listener: heard)
        try member.subscribe(["work"])
        Sleep.milliseconds(round * 2)
        #expect(try member.close())
        #expect(heard.assigned.isEmpty && heard.revoked.allSatisfy(\.isEmpty), "round \(round)")
        declined += heard.revoked.isEmpty ? 0 : 1
      }
      // The group is in good order behind them.
      let heard = Recorder()
      let last = try Consumer(configuration, listener: heard)
      try last.subscribe(["work"])
      let deadline = WallClock.monotonic.nowMilliseconds + 20_000
      while heard.assigned.flatMap(\.self).count < 4 {
        try #require(WallClock.monotonic.nowMilliseconds < deadline, "\(declined) were given partitions as they left")
        try last.poll(timeoutMilliseconds: 10) { _ in }
      }
      #expect(try last.close())
    }
  }

  @Test func aStaticMemberComesBackToItsPartitions() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "work", partitionCount: 4))
      try fill("work", partitions: 4, count: 5, node.client)
      let configuration: (String) -> ConsumerConfiguration = { instance in
        var configuration = ConsumerConfiguration(client: node.client, groupID: "steady")
        configuration.groupInstanceID = instance
        return configuration
      }
      let heard = Recorder()
      let first = try Consumer(configuration("one"), listener: heard)
      try first.subscribe(["work"])
      let second = try Consumer(configuration("two"))
      try second.subscribe(["work"])
      let deadline = WallClock.monotonic.nowMilliseconds + 20_000
      while first.assignment.count != 2 || second.assignment.count != 2 {
        try #require(WallClock.monotonic.nowMilliseconds < deadline)
        for member in [first, second] { try member.poll(timeoutMilliseconds: 10) { _ in } }
      }
      let partitions = second.assignment
      let revocations = heard.revoked.count
      #expect(try second.close())
      let back = try Consumer(configuration("two"))
      try back.subscribe(["work"])
      while back.assignment.count != 2 {
        try #require(WallClock.monotonic.nowMilliseconds < deadline)
        for member in [first, back] { try member.poll(timeoutMilliseconds: 10) { _ in } }
      }
      #expect(back.assignment == partitions)
      #expect(heard.revoked.count == revocations)
      try first.close()
      try back.close()
    }
  }

  /// A pause must not outlive the ownership: the library would remember it.
  @Test func aPauseEndsWithTheOwnership() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "work", partitionCount: 2))
      try fill("work", partitions: 2, count: 10, node.client)
      let configuration = ConsumerConfiguration(client: node.client, groupID: "pair")
      let first = try Consumer(configuration)
      try first.subscribe(["work"])
      #expect(try first.collect(20).count == 20)
      try first.pause(first.assignment)
      let second = try Consumer(configuration)
      try second.subscribe(["work"])
      let deadline = WallClock.monotonic.nowMilliseconds + 20_000
      while first.assignment.count != 1 || second.assignment.count != 1 {
        try #require(WallClock.monotonic.nowMilliseconds < deadline)
        for member in [first, second] { try member.poll(timeoutMilliseconds: 10) { _ in } }
      }
      #expect(first.paused.isEmpty)
      #expect(try first.collect(10).count == 10)
      try first.close()
      try second.close()
    }
  }
}

/// Writes records `partition:number`, from a number on.
func append(
  _ topic: String, partitions: Int32, from start: Int, count: Int, _ client: ClientConfiguration
) throws {
  let producer = try Producer(ProducerConfiguration(client: client))
  defer { producer.close() }
  for partition in 0..<partitions {
    var batch = ProduceBatch(topic: topic)
    for number in start..<start + count {
      try batch.append(key: nil, value: "\(partition):\(number)", partition: partition)
    }
    try producer.send(batch)
  }
  try producer.flush(timeoutMilliseconds: 20_000)
}
