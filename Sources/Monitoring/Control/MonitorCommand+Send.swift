internal import Core
package import Kafka

extension MonitorCommand {
  private static let controlTopic = "headrace.control"

  /// Tells a monitor: in the control topic, from where every process of the topology reads it.
  ///
  /// - Parameter actor: who says so.
  /// - Throws: `CONTROL_MISSING`; what the broker says.
  package func send(
    topology: String, monitor: String, by actor: String, _ client: ClientConfiguration
  ) async throws {
    let value = json(monitor: monitor, by: actor)
    try await BlockingThread(name: "drift").run {
      let known = try Admin(client).describeCluster().topics.contains {
        $0.name == Self.controlTopic && $0.error == nil
      }
      guard known else {
        throw HeadraceError(
          .user, "CONTROL_MISSING", "there is no control topic: no topology has run here", place: Self.controlTopic,
          remedy: "start the topology with `headrace run` first")
      }
      let producer = try Producer(ProducerConfiguration(client: client))
      defer { producer.close() }
      var batch = ProduceBatch(topic: Self.controlTopic)
      let key = Array(topology.utf8)
      unsafe try batch.append(key: key.span.bytes, value: value.span.bytes, partition: 0)
      try batch.appendHeader("headrace-kind", Self.recordKind)
      let report = try producer.sendAndWait(batch, timeoutMilliseconds: client.requestTimeoutMilliseconds)
      if let error = report.error { throw error }
    }
  }
}
