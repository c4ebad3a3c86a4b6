import Core
import Testing

@testable import Kafka

/// Errors say what to do next, and never what must stay secret.
@Suite struct ErrorTests {
  @Test func codesHaveTheNamesOfTheProtocol() {
    #expect(KafkaErrorCode.unknownTopicOrPartition.name == "UNKNOWN_TOPIC_OR_PART")
    #expect(KafkaErrorCode.timedOut.name == "_TIMED_OUT")
    #expect(KafkaErrorCode(rawValue: 31_000).name.contains("31000"))
  }

  @Test func retriesFollowFromTheCode() {
    #expect(HeadraceError(.notLeader, while: "test").retry == .sameCall)
    #expect(HeadraceError(.producerFenced, while: "test").retry == .newInstance)
    #expect(HeadraceError(.messageTooLarge, while: "test").retry == .never)
  }

  @Test func secretsAreNeitherPrintedNorMirrored() {
    let authentication = SecurityConfiguration.Authentication.plain(username: "ann", password: Secret("hunter2"))
    let security = SecurityConfiguration(authentication: authentication)
    #expect(!"\(security)".contains("hunter2"))
    #expect(!String(reflecting: security).contains("hunter2"))
    var text = ""
    dump(security, to: &text)
    #expect(!text.contains("hunter2"))
  }

  @Test func refusedPropertiesDoNotRepeatTheirValue() throws {
    var client = ClientConfiguration(bootstrapServers: "127.0.0.1:1")
    client.properties = ["security.protocol": "hunter2"]
    let error = #expect(throws: HeadraceError.self) { try Admin(client) }
    #expect(error?.code == "CLIENT_PROPERTY")
    #expect(error?.place == "security.protocol")
    #expect("\(error as Any)".contains("hunter2") == false)
  }

  @Test func anUnreachableBrokerIsNamed() async throws {
    let error = await #expect(throws: HeadraceError.self) {
      try await onThread {
        var client = ClientConfiguration(bootstrapServers: "127.0.0.1:1")
        client.requestTimeoutMilliseconds = 1_000
        _ = try Admin(client).describeCluster()
      }
    }
    #expect(error?.retry == .sameCall)
    #expect(error?.domain == .external)
  }

  @Test func undeliveredRecordsAreReported() async throws {
    try await onThread {
      let cluster = try MockCluster()
      try cluster.createTopic("errors", partitionCount: 1)
      var configuration = ProducerConfiguration(
        client: ClientConfiguration(bootstrapServers: cluster.bootstrapServers))
      configuration.isIdempotent = false
      let producer = try Producer(configuration)
      cluster.failRequests(apiKey: 0, with: [.init(rawValue: 87)])
      var batch = ProduceBatch(topic: "errors")
      try batch.append(key: nil, value: "refused by the broker", partition: 0)
      let refused = try producer.sendAndWait(batch, timeoutMilliseconds: 10_000)
      #expect(refused.failed == 1 && refused.acknowledged == 0)
      #expect(refused.failures.first?.code.name == "INVALID_RECORD")
      #expect(refused.error?.retry == .never)

      try batch.append(key: nil, value: String(repeating: "x", count: 2_000_000), partition: 0)
      try batch.append(key: nil, value: "no such partition", partition: 7)
      try batch.append(key: nil, value: "well")
      let report = try producer.sendAndWait(batch, timeoutMilliseconds: 10_000)
      #expect(report.acknowledged == 2 && report.failed == 2)
      #expect(
        report.failures.sorted { $0.index < $1.index }.map(\.code) == [.messageTooLarge, .unknownPartition])

      try producer.send(batch)
      let error = #expect(throws: HeadraceError.self) { try producer.flush(timeoutMilliseconds: 10_000) }
      #expect(error?.message.contains("2 of 4 records") == true)
      #expect(producer.takeReports().count == 1)
      try producer.flush(timeoutMilliseconds: 10_000)
      producer.close()
    }
  }
}
