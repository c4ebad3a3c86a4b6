internal import Core
internal import Kafka
internal import Registry
internal import Topology

/// What the control topic says up to an offset: a value, so that every reader of the same records decides the same.
struct ControlState: Equatable {
  private(set) var plans: [String: AppliedPlan] = [:]
  private(set) var registry = RegistryState()
  /// By topology and task: what it scored by, and since where, oldest first.
  private(set) var scorings: [String: [Int32: [Scoring]]] = [:]
  /// What became of registry commands that somebody waits for, by their id.
  private(set) var outcomes: [String: RegistryOutcome] = [:]
  /// Predictions that were made again, oldest first.
  private(set) var corrections: [CorrectionRecord] = []
  /// Commands whose outcome is kept.
  var awaited: Set<String> = []

  /// From these offsets on a task scores by what the registry said at `position`.
  struct Scoring: Equatable {
    var position: Int64
    var offsets: [TopicPartition: Int64]
  }

  /// - Parameter timeMilliseconds: of the record.
  /// - Returns: the plan that this record put in force, if it did.
  @discardableResult
  mutating func apply(_ record: ControlRecord, offset: Int64, timeMilliseconds: Int64 = 0) -> AppliedPlan? {
    switch record {
    case .plan(let topology, let expects, let fingerprint, let bytes):
      guard expects == plans[topology]?.version ?? 0, let document = try? PlanDocument(decoding: bytes) else {
        return nil
      }
      let plan = AppliedPlan(
        topology: topology, version: expects + 1, fingerprint: fingerprint, document: document, offset: offset)
      plans[topology] = plan
      return plan
    case .switched: break
    case .registry(let command):
      let outcome = registry.apply(command, offset: offset, timeMilliseconds: timeMilliseconds)
      if awaited.remove(command.id) != nil { outcomes[command.id] = outcome }
    case .scores(let topology, let position, let task, let offsets):
      // Said again after a death: once is enough.
      if scorings[topology]?[task]?.last?.position == position { break }
      scorings[topology, default: [:]][task, default: []].append(Scoring(position: position, offsets: offsets))
    case .corrected(let record): corrections.append(record)
    }
    return nil
  }

  /// A registry command that cannot be followed counts as seen.
  mutating func passOverCommand(at offset: Int64) { registry.skip(offset: offset) }

  mutating func takeOutcome(of id: String) -> RegistryOutcome? { outcomes.removeValue(forKey: id) }
}
