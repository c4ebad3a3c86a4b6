internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import OfflineStore
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
  /// nil: there are no tables.
  var tables: TableLane?
  var clock: WallClock

  /// Whether anything may ever be written to Kafka: then every commit is a transaction, also one without outputs. A
  /// plain commit that was delayed could move C back behind one.
  var isTransactional: Bool {
    configuration.writesRejectedRecords || plan.views.contains(where: \.isRepartitioned)
  }

  /// Where a task's state is.
  func statePath(_ task: Int32) -> String { "\(configuration.dataDirectory)/state/\(plan.name)/\(task)" }

  /// Rows of the task that wait for their tables.
  func spoolPath(_ task: Int32) -> String { "\(configuration.dataDirectory)/spool/\(plan.name)/\(task)" }

  /// The tables that a task writes to, in the order in which its spool counts them.
  func offlineTables(_ task: Int32) -> [OfflineTable] {
    guard tables != nil else { return [] }
    return plan.sources.filter(\.isArchived).map { source in
      let fields = source.contract.fields.map { OfflineTable.Field($0.path, $0.type) }
      return OfflineTable(
        name: EventArchive.name(source: source.name), fields: fields + EventArchive.decisions,
        offsetField: fields.count + EventArchive.offsetDecision, topology: plan.name, topic: source.topic, partition: task)
    }
  }

  var topics: [String] { inputs.map(\.topic) }

  func partitions(of task: Int32) -> [TopicPartition] { topics.map { TopicPartition(topic: $0, partition: task) } }
}
