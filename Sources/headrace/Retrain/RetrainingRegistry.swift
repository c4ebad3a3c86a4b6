internal import Core
internal import Inference
internal import Kafka
internal import Registry
internal import Runtime
internal import Serving
internal import Storage
internal import Topology
internal import Training

/// The registry behind the server of a process that runs policies: pages of evidence, and models from outside.
struct RetrainingRegistry: RegistrySource {
  let engine: EngineRegistrySource
  /// Of the whole cluster: other topologies may run a model too.
  let cluster: ClusterRegistry
  /// nil: there are no tables, so no model is taken.
  let tables: (any BlobStore)?
  /// The plan that runs here.
  let plan: @Sendable () -> Plan?

  func registry() throws -> RegistryState { engine.registry() }

  func send(_ command: RegistryCommand) async throws -> RegistryOutcome { try await engine.send(command) }

  func evidence(_ retraining: RegisteredRetraining, _ state: RegistryState) -> String? {
    EvidencePage(retraining).html
  }

  func check(_ version: ModelVersion, alias: String) async throws {
    try await cluster.snapshot().check(version, alias: alias)
  }

  func take(_ model: [UInt8], of retraining: RegisteredRetraining, by actor: String?) async throws -> String? {
    guard let tables else { return nil }
    let change = try await OutsideModel.keep(model, of: retraining, policy: try policy(of: retraining), in: tables)
    let outcome = try await engine.send(RegistryCommand(actor: actor ?? "outside", reason: "", change: change.change))
    if case .refused(let refusal) = outcome { throw refusal.error(place: retraining.retraining.id) }
    return change.hash
  }

  private func policy(of retraining: RegisteredRetraining) throws(HeadraceError) -> PolicyPlan {
    let key = retraining.retraining.policy
    if let plan = plan(),
      let policy = plan.policies.first(where: { PolicyWatch.key(topology: plan.name, policy: $0.name) == key })
    {
      return policy
    }
    throw HeadraceError(
      .user, "POLICY_NOT_FOUND", "the plan that runs here has no policy \(key)", place: retraining.retraining.id,
      remedy: "ask a worker of the policy's topology")
  }
}

/// A model that something outside has made for a retraining: kept under its content, and told as the end of its run.
enum OutsideModel {
  /// - Throws: RETRAINING_TRAINS_ITSELF, RETRAINING_NOT_WAITING; what reading a model throws.
  static func keep(
    _ bytes: [UInt8], of retraining: RegisteredRetraining, policy: PolicyPlan, in tables: any BlobStore
  ) async throws -> (change: RegistryCommand.Change, hash: String) {
    let id = retraining.retraining.id
    guard case .orchestrator = policy.work else {
      throw HeadraceError(
        .user, "RETRAINING_TRAINS_ITSELF", "policy \(policy.name) trains by itself, and takes no model from outside",
        place: id, remedy: "give the policy an `orchestrator`, or publish the model as a version of its own")
    }
    guard retraining.step == .train else {
      throw HeadraceError(
        .user, "RETRAINING_NOT_WAITING", "the retraining is at step \(retraining.step.rawValue), and takes no model",
        place: id, remedy: "`headrace retrain show \(id)` shows what has become of it")
    }
    // What is no model is refused here, where somebody can mend it.
    _ = try Model(bytes, place: id)
    let hash = ContentHash.sha256(bytes)
    try await BlockingThread(name: "store").run { _ = try tables.create(try BlobName("models/\(hash)"), bytes) }
    let artefact = Artefact(name: "model", contentHash: hash, sizeBytes: bytes.count)
    return (.finishRun(id: id, result: RunResult(status: .finished, artefacts: [artefact])), hash)
  }
}
