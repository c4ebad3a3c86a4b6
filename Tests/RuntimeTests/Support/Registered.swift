import Core
import Inference
import Kafka
import Registry
import Testing
import Topology

@testable import Runtime

/// The model `fraud` of `ScoredPayments` in the registry of a test's broker.
struct Registered {
  let node: Node
  /// Data folders that files are put into.
  var directories = ["a"]

  static let other = Array(
    String(decoding: ScoredPayments.modelText, as: UTF8.self).replacing("0.243885", with: "0.943885").utf8)

  static func plan(_ node: Node, _ more: String = "") throws -> Plan {
    try ScoredPayments.plan(node.folder, use: "use: fraud@champion\(more)")
  }

  /// Puts a file into the data folders and adds it as the next version.
  @discardableResult
  func add(_ model: [UInt8], number: Int) async throws -> RegistryOutcome {
    let bytes = ScoredPayments.named(model)
    let hash = ModelFiles.contentHash(bytes)
    for directory in directories {
      try Folders.make("\(node.folder)/\(directory)/models")
      try ScoredPayments.write(bytes, to: "\(node.folder)/\(directory)/models/\(hash)")
    }
    let parsed = try Model(bytes, place: "test")
    return try await send(
      .addVersion(
        ModelVersion(
          model: "fraud", number: number, contentHash: hash, format: parsed.format.rawValue, summary: parsed.summary,
          featureCount: parsed.featureCount, featureNames: parsed.featureNames, outputCount: parsed.outputCount,
          addedAtMilliseconds: 0, addedBy: "test")))
  }

  @discardableResult
  func promote(_ version: Int, from expected: Int?) async throws -> RegistryOutcome {
    try await send(.setAlias(model: "fraud", alias: "champion", version: version, expected: expected))
  }

  @discardableResult
  func start(_ rollout: Rollout, beside expected: Int) async throws -> RegistryOutcome {
    try await send(.startRollout(model: "fraud", alias: "champion", rollout: rollout, expected: expected))
  }

  @discardableResult
  func send(_ change: RegistryCommand.Change) async throws -> RegistryOutcome {
    let client = node.client
    return try await onThread {
      try ControlLog(client).send(RegistryCommand(actor: "test", change: change))
    }
  }

  func state() async throws -> RegistryState {
    let client = node.client
    return try await onThread { try ControlLog(client).currentRegistry() }
  }

  struct Prediction {
    var place: String
    var partition: Int32
    var offset: Int64
    var id: String
    var version: Int?
    var arm: String?
    var score: Double?
    var json: JSONDocument
  }

  /// Every committed prediction, in the order of the events of each partition.
  func predictions(_ topic: String = "pay.predictions", partitions: Int32) async throws -> [Prediction] {
    try await node.records(topic, partitions: partitions).map { record in
      let json = try JSONDocument(Array((record.value ?? "").utf8), depthMax: 4)
      return Prediction(
        place: try #require(record.headers["headrace-src"]),
        partition: Int32(truncatingIfNeeded: json["partition"]?.integer ?? -1), offset: json["offset"]?.integer ?? -1,
        id: json["id"]?.string ?? "", version: json["version"]?.integer.map { Int($0) }, arm: json["arm"]?.string,
        score: json["score"].number, json: json)
    }
    .sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
  }
}

extension JSONDocument? {
  var number: Double? {
    if case .number(let text)? = self?.content { Double(text) } else { nil }
  }
}
