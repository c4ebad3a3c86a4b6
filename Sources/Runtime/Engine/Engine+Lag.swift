internal import Core
internal import Kafka
internal import Logging
internal import Synchronization

// How far behind the log the tasks are. On a thread of its own: a worker must not wait for an answer that only reports
// need.

extension Engine {
  /// Asks for the ends of the tasks' partitions about once a second, until the engine stops.
  static func followEnds(_ engine: () -> Engine?) {
    var admin: Admin?
    while let engine = engine(), !engine.state.withLock({ $0.isStopping }) {
      do {
        let client = try admin ?? Admin(engine.configuration.client)
        admin = client
        let partitions = engine.board.tasks.flatMap { task in
          task.status.inputs.map { TopicPartition(topic: $0.topic, partition: task.partition) }
        }
        if !partitions.isEmpty { engine.board.set(ends: try client.watermarks(partitions).mapValues(\.end)) }
      } catch {
        admin = nil
        engine.logger.debug("the ends of the logs are not known", metadata: ["error": "\(error)"])
      }
      Sleep.milliseconds(1_000)
    }
  }
}
