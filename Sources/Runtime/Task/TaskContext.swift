internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import Rocks
internal import Topology

/// What all tasks of a process have in common.
struct TaskContext: Sendable {
  var plan: Plan
  var inputs: [InputPlan]
  var partitionCount: Int32
  var configuration: RuntimeConfiguration
  var board: TaskBoard
  var schemas: any WriterSchemas
  var logger: Logger
  var blockCache: BlockCache
  var clock: WallClock

  /// Whether anything may ever be written to Kafka: then every commit is a transaction, also one without outputs. A
  /// plain commit that was delayed could move C back behind one.
  var isTransactional: Bool {
    configuration.writesRejectedRecords || plan.views.contains(where: \.isRepartitioned)
  }

  /// Where a task's state is.
  func statePath(_ task: Int32) -> String { "\(configuration.dataDirectory)/state/\(plan.name)/\(task)" }

  var topics: [String] { inputs.map(\.topic) }

  func partitions(of task: Int32) -> [TopicPartition] { topics.map { TopicPartition(topic: $0, partition: task) } }
}
