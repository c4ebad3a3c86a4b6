internal import Contracts
internal import Core
internal import Cost
internal import Expressions
internal import Features
internal import Kafka
internal import Logging
internal import OfflineStore
internal import OnlineStore
internal import Rocks
internal import Telemetry
internal import Topology

/// What all tasks of a process have in common.
struct TaskContext: Sendable {
  var plan: Plan
  var inputs: [InputPlan]
  var partitionCount: Int32
  /// What fits into the dead-letter and late topics beside our headers.
  var rejectedRecordBytesMaximum: Int
  var configuration: RuntimeConfiguration
  var board: TaskBoard
  var schemas: any WriterSchemas
  var logger: Logger
  var blockCache: BlockCache
  var reserve: DiskReserve?
  /// nil: there are no tables.
  var tables: TableLane?
  /// nil: no snapshots are taken.
  var snapshots: SnapshotLane?
  var clock: WallClock
  /// What scores the events of the plan's models, now and as of any place of the control topic.
  var models: ModelEpochs
  /// Switches of the tasks that are committed, on their way into the control topic.
  var scoringNotes: ScoringNotes
  var cost: CostAccount
  /// nil: nothing is traced.
  var spans: SpanQueue?
  /// What predictions say beside what the plan says.
  var predictions: PredictionWriter.Setting

  /// Whether anything may ever be written to Kafka: then every commit is a transaction, also one without outputs. A
  /// plain commit that was delayed could move C back behind one.
  var isTransactional: Bool {
    configuration.writesRejectedRecords || plan.views.contains(where: \.isRepartitioned) || plan.hasStreamModels
  }

  /// Where a task's state is.
  func statePath(_ task: Int32) -> String { "\(configuration.dataDirectory)/state/\(plan.name)/\(task)" }

  /// Rows of the task that wait for their tables.
  func spoolPath(_ task: Int32) -> String { "\(configuration.dataDirectory)/spool/\(plan.name)/\(task)" }

  /// Where a snapshot is put together before it takes the place of the state.
  func restorePath(_ task: Int32) -> String { "\(configuration.dataDirectory)/restoring/\(plan.name)/\(task)" }

  /// The tables that a task writes to, in the order in which its spool counts them.
  func offlineTables(_ task: Int32) -> [OfflineTable] {
    guard tables != nil else { return [] }
    let archives = plan.sources.filter(\.isArchived).map { source in
      let fields = source.contract.fields.map { OfflineTable.Field($0.path, $0.type) }
      return OfflineTable(
        name: EventArchive.name(source: source.name), fields: fields + EventArchive.decisions,
        offsetField: fields.count + EventArchive.offsetDecision, topology: plan.name, topic: source.topic,
        partition: task)
    }
    return (archives + plan.views.filter { $0.history != .off }.map { history(of: $0, task) }).map { table in
      var table = table
      table.planFingerprint = plan.fingerprint.description
      return table
    }
  }

  private func history(of view: ViewPlan, _ task: Int32) -> OfflineTable {
    let source = plan.sources[view.source]
    let keys = zip(plan.entities[view.entity].keys, view.keyColumns).map { name, column in
      OfflineTable.Field(name, source.scope[column].type, isNullable: false)
    }
    let features = view.features.map { feature in
      OfflineTable.Field(
        feature.name, feature.type.columnType,
        comment: feature.type.isList ? "\(feature.definition), a JSON array" : feature.definition)
    }
    let fields = FeatureHistory.fields(keys: keys, features: features)
    return OfflineTable(
      name: FeatureHistory.name(view: view.name), fields: fields, offsetField: fields.count - 1, topology: plan.name,
      topic: view.repartitionTopic ?? source.topic, partition: task)
  }

  var topics: [String] { inputs.map(\.topic) }

  /// Whether tasks can go over to another plan where they stand: they read the same partitions, commit in the same way,
  /// and whoever reads by the former plan finds the features of a view at the same positions.
  func canGoOver(to next: TaskContext) -> Bool {
    guard topics == next.topics, partitionCount == next.partitionCount, isTransactional == next.isTransactional else {
      return false
    }
    for source in next.plan.sources {
      guard let former = plan.sources.first(where: { $0.name == source.name }) else { continue }
      guard former.dedupe?.withinMilliseconds == source.dedupe?.withinMilliseconds else { return false }
    }
    for view in next.plan.views {
      guard let former = plan.views.first(where: { $0.fingerprint == view.fingerprint }) else { continue }
      guard former.features.map(\.name) == view.features.map(\.name) else { return false }
    }
    return true
  }

  func partitions(of task: Int32) -> [TopicPartition] { topics.map { TopicPartition(topic: $0, partition: task) } }
}
