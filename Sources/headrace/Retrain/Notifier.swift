internal import Core
internal import Kafka
internal import Logging
internal import Monitoring
internal import Registry
internal import Runtime
internal import Topology
internal import Training

/// The topic that monitors tell their findings in, and policies what they did about them.
enum DriftTopic {
  static let name = "headrace.drift"

  static func make(_ client: ClientConfiguration, replicationFactor: Int32) throws(HeadraceError) {
    let admin = try Admin(client)
    guard try !admin.describeCluster().topics.contains(where: { $0.name == name && $0.error == nil }) else { return }
    do throws(HeadraceError) {
      try admin.createTopic(
        NewTopic(name: name, partitionCount: 1, replicationFactor: replicationFactor, configuration: [:]))
    } catch {
      guard error.isKafka(.topicExists) else { throw error }
    }
  }
}

/// Tells people and programs what a policy does: the log, `headrace.drift` as CloudEvents, webhooks. A message that is
/// told again has the same id.
final class Notifier {
  private let plan: Plan
  private let client: ClientConfiguration
  private let logger: Logger
  private let outside: OutsideCaller

  init(_ plan: Plan, _ client: ClientConfiguration, _ logger: Logger) {
    self.plan = plan
    self.client = client
    self.logger = logger
    outside = OutsideCaller(logger: logger)
  }

  /// What cannot be delivered is given up with a line in the log: the record of the retraining stays.
  func tell(_ message: RetrainingMessage, _ retraining: RegisteredRetraining, _ policy: PolicyPlan) {
    let level: Logger.Level = ["paged", "stopped"].contains(message.kind) ? .error : .notice
    logger.log(
      level: level, message.kind == "paged" ? "page" : "policy",
      metadata: [
        "policy": "\(policy.name)", "retraining": "\(retraining.retraining.id)", "what": "\(message.kind)",
        "text": "\(message.text)",
      ])
    let body = body(message, retraining, policy)
    do throws(HeadraceError) {
      try append(body, id: message.key, what: message.kind, policy)
    } catch {
      logger.error("a message of a policy is in no topic", metadata: ["error": "\(error)"])
    }
    for webhook in policy.notify {
      do throws(HeadraceError) {
        try outside.post(body, to: webhook.url, id: message.key, secretVariable: webhook.secretVariable)
      } catch {
        logger.error("a webhook was not reached", metadata: ["url": "\(webhook.url)", "error": "\(error)"])
      }
    }
  }

  /// Asks an orchestrator for a model.
  ///
  /// - Returns: why it was not reached; nil when it was.
  func call(_ message: RetrainingMessage, _ retraining: RegisteredRetraining, _ policy: PolicyPlan) -> String? {
    guard case .orchestrator(let orchestrator) = policy.work else { return "the policy has no orchestrator" }
    let dataset = retraining.steps.first { $0.step == .train }.flatMap { DatasetResult(json: $0.evidence) }
    let request = OrchestratorRequest(
      orchestrator, retraining: retraining.retraining.id, policy: policy.name, model: retraining.retraining.model,
      dataset: dataset, cause: retraining.retraining.cause)
    do throws(HeadraceError) {
      try outside.send(request, id: message.key)
      return nil
    } catch {
      return error.description
    }
  }

  /// What a monitor has seen is what the new model was trained on: its reference begins anew.
  func acknowledge(_ monitor: String, atMilliseconds: Int64, reason: String) throws(HeadraceError) {
    let command = MonitorCommand.acknowledge(atMilliseconds: atMilliseconds, reason: reason)
    try produce(
      command.json(monitor: monitor), key: plan.name, topic: ControlLog.topic,
      headers: [("headrace-kind", MonitorCommand.recordKind)])
  }

  private func body(
    _ message: RetrainingMessage, _ retraining: RegisteredRetraining, _ policy: PolicyPlan
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("id", message.key)
      json.member("topology", plan.name)
      json.member("policy", policy.name)
      json.member("retraining", retraining.retraining.id)
      json.member("model", retraining.retraining.model)
      json.member("kind", "retraining")
      json.member("what", message.kind)
      json.member("step", retraining.step.rawValue)
      json.member("text", message.text)
      json.key("cause")
      json.raw(retraining.retraining.cause.isEmpty ? "null".utf8 : retraining.retraining.cause.utf8)
    }
    return writer.bytes
  }

  /// Alarms that ask for nothing, and why: for the record, nobody is called.
  func tell(_ ignored: PolicyWatch.Ignored, _ policy: PolicyPlan) throws(HeadraceError) {
    let text = "policy \(policy.name): an alarm of \(ignored.monitor) opens no retraining: \(ignored.reason)"
    logger.notice("policy", metadata: ["policy": "\(policy.name)", "what": "ignored", "text": "\(text)"])
    var writer = JSONWriter()
    writer.object { json in
      json.member("id", ignored.id)
      json.member("topology", plan.name)
      json.member("policy", policy.name)
      json.member("kind", "retraining")
      json.member("what", "ignored")
      json.member("monitor", ignored.monitor)
      json.key("window")
      json.object { json in
        json.member("start", RFC3339.text(milliseconds: ignored.startMilliseconds))
        json.member("end", RFC3339.text(milliseconds: ignored.endMilliseconds))
      }
      json.key("alarms")
      json.array { array in for id in ignored.alarms { array.string(id) } }
      json.member("text", text)
    }
    try append(writer.bytes, id: ignored.id, what: "ignored", policy)
  }

  private func append(_ body: [UInt8], id: String, what: String, _ policy: PolicyPlan) throws(HeadraceError) {
    try produce(
      body, key: policy.name, topic: DriftTopic.name,
      headers: [
        ("ce_specversion", "1.0"), ("ce_id", id), ("ce_source", "/headrace/\(plan.name)"),
        ("ce_type", "headrace.retraining.\(what)"), ("ce_subject", plan.models[policy.model].name),
        ("ce_time", RFC3339.text(milliseconds: WallClock.system.nowMilliseconds)), ("content-type", "application/json"),
      ])
  }

  private func produce(
    _ value: [UInt8], key: String, topic: String, headers: [(String, String)]
  ) throws(HeadraceError) {
    let producer = try Producer(ProducerConfiguration(client: client))
    defer { producer.close() }
    var batch = ProduceBatch(topic: topic)
    unsafe try batch.append(key: Array(key.utf8).span.bytes, value: value.span.bytes, partition: 0)
    for (name, text) in headers { try batch.appendHeader(name, text) }
    let report = try producer.sendAndWait(batch, timeoutMilliseconds: client.requestTimeoutMilliseconds)
    if let error = report.error { throw error }
  }
}
