internal import Core
internal import Registry
internal import Topology

/// The policy of the topology, driven by the replay.
final class LoopRetraining {
  private let policy: PolicyPlan

  init(_ process: TopologyProcess, _ policy: PolicyPlan, _ setting: LoopRun.Setting) throws {
    self.policy = policy
  }

  func trainFirst(at time: Int64) throws {}
  func settle() throws {}
  func count(_ registry: RegistryState) throws -> Int { 0 }
  func moments(_ registry: RegistryState) throws -> [LoopResult.Moment] { [] }
}
