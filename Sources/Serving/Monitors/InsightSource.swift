package import Monitoring
package import Topology

/// What monitors have found, and why values are what they are.
package protocol InsightSource: Sendable {
  /// The plan that runs: its monitors, and the models that they watch.
  var plan: Plan { get }

  /// What a monitor has found, out of its table; nil where there are no tables.
  ///
  /// - Throws: what reading a table throws; `NOT_FOUND` while nothing was written.
  func history(monitor: String, model: String) async throws -> DriftHistory?

  /// Tells a monitor something, for good: in the control topic.
  func tell(_ command: MonitorCommand, monitor: String, by actor: String) async throws

  /// The records that make the features of a key what they are: one JSON object; nil where there are no tables.
  func explain(
    view: String, key: [String], atMilliseconds: Int64, features: [String]
  ) async throws -> [UInt8]?
}
