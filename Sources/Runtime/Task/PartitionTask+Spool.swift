internal import Core
internal import Kafka
internal import OfflineStore
internal import OnlineStore
internal import Topology

// Rows on their way to tables: durable with the checkpoint, published behind it.

extension PartitionTask {
  /// Opens the spool as the checkpoint knows it, and asks each table how far it is (D).
  ///
  /// - Parameter ends: of the inputs that have no state yet.
  func openSpool(_ record: CheckpointRecord?, _ ends: [TopicPartition: Watermarks]) throws(HeadraceError) {
    let former = spool?.ledger
    releaseSpool()
    guard let lane = context.tables else { return }
    let tables = context.offlineTables(number)
    guard !tables.isEmpty else { return }
    var published: [Int64?] = []
    for table in tables {
      if let known = former?.published(table) {
        published.append(known)
      } else {
        published.append(try lane.progress(of: table))
      }
    }
    let positions = tables.map { table in
      position(of: table, record) ?? ends[TopicPartition(topic: table.topic, partition: number)]?.beginning ?? 0
    }
    let path = context.spoolPath(number)
    try Folders.make(path)
    let opened = try Spool(
      path: path, tables: tables, record: record?.spool ?? SpoolRecord(), positions: positions, published: published)
    spool = opened
    lane.register(opened.ledger)
  }

  /// S of what a table's rows are made of; nil before the first checkpoint.
  private func position(of table: OfflineTable, _ record: CheckpointRecord?) -> Int64? {
    guard let record else { return nil }
    // A view that is being built stands somewhere else than its input.
    if let view = context.plan.views.first(where: { $0.history != .off && $0.historyTable == table.name }),
      !view.isRepartitioned, !record.views.contains(view.fingerprint.value)
    {
      return record.bootstraps.first { $0.fingerprint == view.fingerprint.value }?.input.nextOffset ?? 0
    }
    return record.inputs.first { $0.topic == table.topic }?.nextOffset
  }

  /// What is durable goes on to its tables; the rest comes again from the log.
  func releaseSpool() {
    guard let spool else { return }
    context.tables?.release(spool.ledger)
    self.spool = nil
  }

  /// Ends the segment of rows below S.
  func sealSpool(_ offsets: [Int64]) throws(HeadraceError) -> SealedRows? {
    guard let spool else { return nil }
    return try spool.seal(positions(of: spool, offsets), watermarksMilliseconds: watermarks(of: spool))
  }

  /// S of each table's input, or of the view that is being built.
  private func positions(of spool: Spool, _ offsets: [Int64]) -> [Int64] {
    spool.ledger.tables.map { table in
      if let bootstrap = bootstrap(of: table) { return bootstrap.position }
      return inputs.firstIndex { $0.partition.topic == table.topic }.map { offsets[$0] } ?? 0
    }
  }

  /// Of each table's input where its position is; nil before the first valid record.
  private func watermarks(of spool: Spool) -> [Int64?] {
    spool.ledger.tables.map { table in
      let watermark =
        bootstrap(of: table)?.pipeline.record.watermark
        ?? source(of: table)?.record.watermark ?? inputs.first { $0.partition.topic == table.topic }?.watermark ?? .min
      return watermark == .min ? nil : watermark
    }
  }

  /// The source that a table's rows come from; nil for those of a repartition topic. Several may read one topic, each
  /// with a watermark of its own.
  private func source(of table: OfflineTable) -> SourcePipeline? {
    inputs.lazy.flatMap(\.sources).first { source in
      EventArchive.name(source: source.source.name) == table.name
        || source.targets.contains { $0.plan.history != .off && $0.plan.historyTable == table.name }
    }
  }

  /// The view that is being built and whose history a table is.
  private func bootstrap(of table: OfflineTable) -> ViewBootstrap? {
    bootstraps.first { $0.plan.history != .off && $0.plan.historyTable == table.name }
  }

  func archiveTarget(ofSource index: Int) -> SourcePipeline.ArchiveTarget? {
    let name = EventArchive.name(source: context.plan.sources[index].name)
    guard let spool, let table = spool.ledger.tables.firstIndex(where: { $0.name == name }) else { return nil }
    return SourcePipeline.ArchiveTarget(spool: spool, table: table)
  }

  /// Gives the views of a source that have a history a place for it.
  func attachHistories(to pipeline: SourcePipeline) throws(HeadraceError) {
    for target in pipeline.targets where target.history == nil {
      target.history = try history(
        of: target.plan, storeView: target.storeView, pipeline.store, pipeline.partition,
        watermark: pipeline.record.watermark)
    }
  }

  /// - Returns: nil for a view without a history.
  func history(
    of view: ViewPlan, storeView: Int, _ store: TaskStore, _ partition: TopicPartition, watermark: Int64
  ) throws(HeadraceError) -> HistoryWriter? {
    guard let spool, view.history != .off,
      let table = spool.ledger.tables.firstIndex(where: { $0.name == view.historyTable })
    else {
      try store.dropTouches(ofView: storeView)
      return nil
    }
    if view.history != .tiles { try store.dropTouches(ofView: storeView) }
    return try HistoryWriter(
      view, storeView: storeView, store: store, spool: spool, table: table, partition: partition, watermark: watermark)
  }
}
