import Broker
import Columns
import Core
import Features
import Kafka
import Logging
import OnlineStore
import Testing
import Topology

@testable import Runtime

extension Node {
  func engine(
    _ plan: Plan, directory: String = "a", _ change: (inout RuntimeConfiguration) -> Void = { _ in }
  ) async throws -> Engine {
    var configuration = RuntimeConfiguration(client: client, dataDirectory: "\(folder)/\(directory)")
    configuration.commitIntervalMilliseconds = 20
    configuration.checkpointIntervalMilliseconds = 300
    configuration.sessionTimeoutMilliseconds = 3_000
    configuration.blockCacheBytes = 8 << 20
    configuration.memoryBudgetBytes = 64 << 20
    configuration.diskReserveBytes = 0
    change(&configuration)
    let engine = try Engine(plan: plan, configuration: configuration, logger: .quiet)
    try await engine.start()
    return engine
  }

  func createTopic(_ name: String = "payments", partitions: Int32) async throws {
    let client = client
    try await onThread { try Admin(client).createTopic(NewTopic(name: name, partitionCount: partitions)) }
  }

  func publish(_ events: some Collection<Payments.Event> & Sendable, partitions: Int32) async throws {
    let client = client
    try await onThread { try Payments.publish(events, partitions: partitions, client) }
  }

  /// The end of every partition of a topic.
  func ends(_ topic: String, partitions: Int32) async throws -> [Int32: Int64] {
    let client = client
    return try await onThread {
      let list = (0..<partitions).map { TopicPartition(topic: topic, partition: $0) }
      return Dictionary(
        uniqueKeysWithValues: try Admin(client).watermarks(list).map { ($0.key.partition, $0.value.end) })
    }
  }

  /// Every committed record of a topic: value and headers.
  func records(_ topic: String, partitions: Int32) async throws -> [(value: String?, headers: [String: String])] {
    let client = client
    return try await onThread {
      let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
      defer { _ = try? consumer.close() }
      let list = (0..<partitions).map { TopicPartition(topic: topic, partition: $0) }
      let ends = try consumer.watermarks(list)
      try consumer.assign(Dictionary(uniqueKeysWithValues: list.map { ($0, StartOffset.beginning) }))
      var found: [(String?, [String: String])] = []
      var quiet = 0
      while quiet < 5, try list.contains(where: { try consumer.position(of: $0) < ends[$0]?.end ?? 0 }) {
        let result = try consumer.poll(timeoutMilliseconds: 200) { records in
          for index in records.indices {
            let record = records[index]
            var headers: [String: String] = [:]
            for position in 0..<record.headers.count {
              let header = record.headers[position]
              headers[header.name] = header.value.text
            }
            found.append((record.value.text, headers))
          }
        }
        quiet = result.records == 0 ? quiet + 1 : 0
      }
      return found
    }
  }
}

/// Waits until a condition holds; asks for it every few milliseconds.
func eventually(
  _ what: String, seconds: Double = 30, sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async throws {
  let deadline = WallClock.monotonic.nowMilliseconds + Int64(seconds * 1_000)
  while WallClock.monotonic.nowMilliseconds < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record("not in time: \(what)", sourceLocation: sourceLocation)
  throw HeadraceError(.internal, "NOT_IN_TIME", what)
}

extension Engine {
  /// Whether the tasks of all engines together have applied everything up to these ends, and can be read.
  static func hasApplied(_ engines: [Engine], _ topic: String, _ ends: [Int32: Int64]) -> Bool {
    ends.allSatisfy { partition, end in
      engines.contains { engine in
        engine.status().tasks.contains { task in
          task.partition == partition && task.phase == .running
            && task.inputs.contains { $0.topic == topic && $0.appliedOffset >= end }
        }
      }
    }
  }

  /// Reads features by name, `view:feature`, from whichever engine has them.
  static func read(_ engines: [Engine], _ view: String, key: String, _ features: [String], at time: Int64) throws
    -> [Value]
  {
    let plan = engines[0].plan
    let index = try #require(plan.view(named: view))
    let positions = try features.map { try #require(plan.views[index].feature(named: $0)) }
    var last: ReadError?
    for engine in engines {
      var values: [FeatureValue] = []
      do throws(ReadError) {
        try engine.reader.read(
          view: index, key: EntityKey(bytes: Array(key.utf8)), at: .asOf(time), features: positions, into: &values)
        return values.map(\.value)
      } catch {
        last = error
      }
    }
    throw last ?? .notReady(partition: -1, why: "no engine")
  }
}
