internal import Core
internal import Kafka
internal import Logging
internal import OnlineStore
internal import Topology

/// A view that is built from the log while the others of its task go on.
///
/// It has a reader, watermarks, deduplication and rows of its own, and decides about every record as the task did: both
/// are functions of the same prefix. When it stands where the task stands it becomes one of the task's views.
final class ViewBootstrap {
  /// A position in `Plan.views`.
  let view: Int
  let storeView: Int
  let plan: ViewPlan
  let pipeline: SourcePipeline
  /// Everything below it is in the view's rows.
  private(set) var position: Int64
  /// Under which the ids of its own are kept.
  let dedupeName: String
  private let partition: TopicPartition
  private let consumer: Consumer

  init(
    view: Int, storeView: Int, plan: ViewPlan, pipeline: SourcePipeline, dedupeName: String, position: Int64,
    context: TaskContext
  ) throws(HeadraceError) {
    self.view = view
    self.dedupeName = dedupeName
    self.storeView = storeView
    self.plan = plan
    self.pipeline = pipeline
    self.position = position
    partition = pipeline.partition
    var configuration = ConsumerConfiguration(client: context.configuration.client, groupID: nil)
    configuration.batchRecordsMaximum = context.configuration.batchRecordsMaximum
    configuration.reportsPartitionEnds = true
    // As much as the task's own reader may hold, for all views that are being built, would be too much.
    configuration.prefetchKibibytesMaximum = 8_192
    consumer = try Consumer(configuration)
    try consumer.assign([partition: .offset(position)])
  }

  deinit { _ = try? consumer.close(timeoutMilliseconds: 1_000) }

  /// Reads on, at most to `target`.
  ///
  /// - Returns: whether the view stands there now.
  func advance(to target: Int64) throws -> Bool {
    guard position < target else { return position == target }
    let result = try consumer.poll(timeoutMilliseconds: 0) { records in
      var end = records.count
      while end > 0, records[end - 1].offset >= target { end -= 1 }
      if end > 0 {
        let done = try pipeline.process(records, 0..<end, outputs: nil)
        if done > 0 { position = records[done - 1].offset + 1 }
        guard done == end else { return try consumer.seek(partition, to: records[done].offset) }
      }
      guard end < records.count else { return }
      // All that is left below the target are markers and holes.
      try consumer.seek(partition, to: target)
      position = target
    }
    if !result.endsReached.isEmpty {
      // Behind the last record there are markers. Not simply all that is below the target: the task may have read what
      // was not in the log yet when this reader came to its end.
      position = max(position, min(try consumer.position(of: partition), target))
    }
    return position == target
  }

  /// What a checkpoint keeps.
  var record: CheckpointRecord.BootstrapRecord {
    var input = CheckpointRecord.InputRecord(topic: partition.topic, nextOffset: position)
    input.sources = [pipeline.record]
    return CheckpointRecord.BootstrapRecord(fingerprint: plan.fingerprint.value, input: input)
  }
}

extension PartitionTask {
  /// How long a task builds before it looks after the others again; each turn is a batch at least.
  private static let buildMillisecondsMaximum: Int64 = 5

  /// Gives views that are being built a piece of the log, in turns, and takes those in that have caught up.
  func advanceBootstraps() {
    let deadline = WallClock.monotonic.nowMilliseconds + Self.buildMillisecondsMaximum
    for _ in bootstraps.indices {
      guard WallClock.monotonic.nowMilliseconds < deadline else { return }
      let bootstrap = bootstraps.removeFirst()
      bootstraps.append(bootstrap)
      guard pendingFailure == nil, machine.phase == .running,
        let index = inputs.firstIndex(where: { input in
          input.sources.contains { $0.source.name == bootstrap.sourceName }
        }),
        let main = inputs[index].sources.first(where: { $0.source.name == bootstrap.sourceName })
      else { continue }
      do {
        guard try bootstrap.advance(to: machine.inputs[index].applied) else { continue }
      } catch {
        pendingFailure =
          error as? HeadraceError ?? HeadraceError(.internal, "BOOTSTRAP", "\(error)", place: bootstrap.plan.name)
        continue
      }
      RuntimeKillPoint.pass(.spliceBefore)
      main.add(context.plan, bootstrap.view, bootstrap.storeView)
      do throws(HeadraceError) { try attachHistories(to: main) } catch { pendingFailure = error }
      bootstraps.removeAll { $0 === bootstrap }
      RuntimeKillPoint.pass(.spliceAfter)
      // Its ids are those of the task from here on; they go when a checkpoint says so.
      dedupeNames.remove(bootstrap.dedupeName)
      logger.info(
        "view is built", metadata: ["view": "\(bootstrap.plan.name)", "offset": "\(bootstrap.position)"])
      nextCheckpointAtMilliseconds = 0
    }
  }

  /// The views whose rows hold everything that is applied.
  var builtViews: [UInt64] {
    var built: [UInt64] = []
    for input in inputs {
      if let deltas = input.deltas { built.append(deltas.view.fingerprint.value) }
      for source in input.sources { built += source.targets.map(\.plan.fingerprint.value) }
    }
    return built
  }

  /// Rows of views that the plan does not have any more, and ids of those that were being built, go when all that it
  /// has are built.
  func dropForgottenViews() {
    guard bootstraps.isEmpty, !hasDroppedForgotten, let store else { return }
    hasDroppedForgotten = true
    do throws(HeadraceError) {
      for stored in try store.storedNamespaces() where !namespaces.contains(stored.id) {
        try store.dropNamespace(stored.id)
        logger.info("rows of a former view are dropped", metadata: ["view": "\(stored.name)"])
      }
      for source in try store.storedDedupeSources() where !dedupeNames.contains(source) {
        try store.dropDedupeTable(source: source)
      }
    } catch {
      pendingFailure = error
    }
  }
}

extension ViewBootstrap {
  var sourceName: String { pipeline.source.name }
}
