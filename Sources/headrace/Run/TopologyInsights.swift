internal import Core
internal import Kafka
internal import Monitoring
internal import OfflineStore
internal import Runtime
internal import Serving
internal import Storage
internal import Synchronization
internal import Topology

/// Monitors and explanations behind the server of a process that runs a topology.
final class TopologyInsights: InsightSource {
  /// Whoever looks at a page again and again gets what was read a moment ago.
  private static let keptMilliseconds: Int64 = 5_000

  private let client: ClientConfiguration
  /// Nil: there are none.
  private let tables: (any BlobStore)?
  private let current: @Sendable () -> Plan
  private let kept = Mutex<[String: (history: DriftHistory, readAtMilliseconds: Int64)]>([:])

  init(_ client: ClientConfiguration, tables: (any BlobStore)?, plan: @escaping @Sendable () -> Plan) {
    self.client = client
    self.tables = tables
    current = plan
  }

  var plan: Plan { current() }

  func history(monitor: String, model: String) async throws -> DriftHistory? {
    guard let tables else { return nil }
    let now = WallClock.monotonic.nowMilliseconds
    if let kept = kept.withLock({ $0[monitor] }), now - kept.readAtMilliseconds < Self.keptMilliseconds {
      return kept.history
    }
    let history = try await BlockingThread(name: "drift").run {
      let name = "\(ResultTable.folder)/\(model)"
      do {
        let table = try TableColumns(tables, name: name)
        return try DriftHistory(model: model, table, range: Int64.min..<Int64.max, monitor: monitor)
      } catch let error as HeadraceError where error.code == "JOIN_INPUT" {
        // Nothing was found yet.
        return DriftHistory(model: model)
      }
    }
    kept.withLock { $0[monitor] = (history, now) }
    return history
  }

  func tell(_ command: MonitorCommand, monitor: String, by actor: String) async throws {
    try await command.send(topology: plan.name, monitor: monitor, by: actor, client)
    kept.withLock { $0[monitor] = nil }
  }

  func explain(
    view: String, key: [String], atMilliseconds: Int64, features: [String]
  ) async throws -> [UInt8]? {
    guard let tables else { return nil }
    let explaining = FeatureExplaining(plan: plan, tables: tables)
    return try await BlockingThread(name: "explain").run {
      let (row, values) = try explaining.explain(
        view: view, key: key, atMilliseconds: atMilliseconds, features: features)
      var writer = JSONWriter()
      ExplanationText().write(row, key: values, note: nil, to: &writer)
      return writer.bytes
    }
  }
}
