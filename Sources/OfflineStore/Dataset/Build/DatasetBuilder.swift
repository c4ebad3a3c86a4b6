internal import Columns
package import Core
package import Storage

/// Makes training sets: the vector of a service at the time of each label, by the code that serves it.
///
/// Events come from the archive or the log, with what was decided of each when it was read, so nothing is decided
/// twice. Labels and events of each view are spread over partitions by their entity, partitions are joined by several
/// threads, and what they give is put back into the order of the labels. Whatever waits in between is in memory up to
/// a limit, and on disk behind it; a partition must fit, and so must the history of a single entity.
package final class DatasetBuilder {
  package struct Configuration: Sendable {
    /// For what waits in memory, about.
    package var memoryBytes = 512 << 20
    package var threadCount = ParallelWork.processorCount
    package var split = DatasetSplit.none
    /// Whether an event counts only once it was known; without it, event time alone decides.
    package var isAsKnown = true
    /// Rows of labels outside of it are left out.
    package var fromMilliseconds: Int64?
    package var toMilliseconds: Int64?

    package init() {}
  }

  private let specification: DatasetSpecification
  private let configuration: Configuration
  private let budget: SpillBudget

  package init(_ specification: DatasetSpecification, configuration: Configuration) {
    self.specification = specification
    self.configuration = configuration
    // The rest is for the partitions and chunks that threads have in hand.
    budget = SpillBudget(limitBytes: configuration.memoryBytes / 2)
  }

  /// What went through temporary files.
  package var spilledBytes: Int { budget.spilledBytes }

  /// Builds a dataset and writes it: data files first, the manifest last. Without manifest there is no dataset.
  ///
  /// - Parameters:
  ///   - events: by the name of the source; of every source that a view of the service reads.
  ///   - target: where nothing of the same name is.
  ///   - folder: in the store.
  /// - Throws: LABELS_INVALID, DATASET_EXISTS, SPILL_FAILED.
  package func build(
    name: String, labels: any LabelSource, labelTime: String, events: [String: any DatasetEvents],
    into target: any BlobStore, folder: BlobName?
  ) throws(HeadraceError) -> DatasetManifest {
    let columns = try LabelColumns(labels, timeColumn: labelTime)
    let vector = try ServiceVector(specification, columns)
    let output = DatasetTarget(store: target, folder: folder)
    try output.requireEmpty()
    let partitionCount = partitionCount(events)
    var intake = try LabelIntake(
      specification, columns, configuration: configuration, partitionCount: partitionCount, budget: budget)
    let (from, to) = (configuration.fromMilliseconds ?? .min, configuration.toMilliseconds ?? .max)
    try intake.read(labels, times: from..<max(from, to))
    let results = try join(intake, events, partitionCount: partitionCount)
    DatasetKillPoint.pass(.beforeData)
    let writer = DatasetWriter(
      intake: intake, results: results, vector: vector, features: specification.features.map(\.name), target: output,
      configuration: configuration)
    var manifest = DatasetManifest(
      name: name, topology: specification.topology, service: specification.service,
      serviceFingerprint: specification.serviceFingerprint,
      views: specification.views.map { ($0.view.name, $0.fingerprint) },
      events: events.sorted { $0.key < $1.key }.map { $0.value.origin }, labels: labels.origin, labelTime: labelTime,
      namesRecords: intake.namesRecords, isAsKnown: configuration.isAsKnown,
      fromMilliseconds: configuration.fromMilliseconds, toMilliseconds: configuration.toMilliseconds,
      split: configuration.split, rowCount: intake.rowCount, fields: [], files: [], contentHash: "")
    try writer.write(into: &manifest)
    return manifest
  }

  /// So many that what threads have in hand is a part of the memory: events take about 100 bytes in each view.
  private func partitionCount(_ events: [String: any DatasetEvents]) -> Int {
    let largest = events.values.map(\.rowCount).max() ?? 0
    let wanted = largest.multipliedReportingOverflow(by: 100 * 8 * configuration.threadCount)
    let parts = (wanted.overflow ? .max : wanted.partialValue) / max(configuration.memoryBytes, 1)
    var count = 16
    while count < parts, count < 4_096 { count *= 2 }
    return count
  }

  /// The features of all views, by view; a partition of each has the results of a chunk of labels.
  private func join(
    _ intake: LabelIntake, _ events: [String: any DatasetEvents], partitionCount: Int
  ) throws(HeadraceError) -> [SpillTable] {
    var results: [SpillTable?] = specification.views.map { _ in nil }
    let shards = configuration.threadCount
    for source in Set(specification.views.map(\.source)).sorted() {
      guard let events = events[source] else {
        throw HeadraceError(.internal, "DATASET_SOURCE", "nobody brings the events of this source", place: source)
      }
      let indexes = specification.views.indices.filter { specification.views[$0].source == source }
      let jobs = indexes.map { index in
        ViewJob(
          view: specification.views[index].view, fieldCount: specification.views[index].fields.count,
          intake: intake.views[index], shardCount: shards, budget: budget)
      }
      try load(events, jobs, partitionCount: partitionCount)
      try ParallelWork.run(jobs.count * partitionCount, threadCount: shards) { (piece) throws(HeadraceError) in
        let (job, partition) = piece.quotientAndRemainder(dividingBy: partitionCount)
        try jobs[job].join(partition, shard: piece)
      }
      for (index, job) in zip(indexes, jobs) { results[index] = job.results }
    }
    return results.compactMap(\.self)
  }

  private func load(
    _ events: any DatasetEvents, _ jobs: [ViewJob], partitionCount: Int
  ) throws(HeadraceError) {
    let isAsKnown = configuration.isAsKnown
    try ParallelWork.run(events.pieceCount, threadCount: configuration.threadCount) { (piece) throws(HeadraceError) in
      var times = EventTimes(isAsKnown: isAsKnown)
      var pickers = jobs.map { EventPicker($0.view, fieldCount: $0.fieldCount) }
      try events.forEachBatch(of: piece) { (batch) throws(HeadraceError) in
        for (index, job) in jobs.enumerated() {
          if index == 0 { times.read(batch, from: job.fieldCount) }
          pickers[index].pick(
            batch, times, wanted: job.wanted, isBoundByTime: job.isBoundByTime, partitionCount: partitionCount)
          try job.events.append(pickers[index].rows, partitions: pickers[index].partitions, shard: piece)
        }
      }
    }
  }
}

/// One view's part of a build.
private struct ViewJob: Sendable {
  let view: PointInTimeView
  let fieldCount: Int
  let wanted: EntityFilter
  let isBoundByTime: Bool
  let labels: SpillTable
  let events: SpillTable
  let results: SpillTable

  init(view: PointInTimeView, fieldCount: Int, intake: LabelIntake.View, shardCount: Int, budget: SpillBudget) {
    self.view = view
    self.fieldCount = fieldCount
    wanted = intake.wanted
    isBoundByTime = intake.isBoundByTime
    labels = intake.rows
    events = SpillTable(
      PointInTimeRows.eventTypes(view), partitionCount: 0, shardCount: shardCount, budget: budget)
    results = SpillTable(
      PointInTimeRows.resultTypes(view), partitionCount: 0, shardCount: shardCount, budget: budget)
  }

  func join(_ partition: Int, shard: Int) throws(HeadraceError) {
    let rows = try labels.read(partition)
    labels.release(partition)
    guard rows.rowCount > 0 else { return events.release(partition) }
    var join = PointInTimeJoin(view, labels: rows, events: try events.read(partition))
    events.release(partition)
    let found = join.read()
    try results.append(
      found, partitions: found.columns[0].integers.map { Int($0) / LabelIntake.chunkRows }, shard: shard)
  }
}
