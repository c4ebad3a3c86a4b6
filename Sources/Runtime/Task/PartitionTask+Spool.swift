internal import Core
internal import Kafka
internal import OfflineStore
internal import Topology

// Rows on their way to tables: durable with the checkpoint, published behind it.

extension PartitionTask {
  /// Opens the spool as the checkpoint knows it, and asks each table how far it is (D).
  func openSpool(_ record: CheckpointRecord?, _ ends: [TopicPartition: Watermarks]) throws(HeadraceError) {
    releaseSpool()
    guard let lane = context.tables else { return }
    let tables = context.offlineTables(number)
    guard !tables.isEmpty else { return }
    var published: [Int64?] = []
    for table in tables { published.append(try lane.progress(of: table)) }
    let positions = tables.map { table in
      record?.inputs.first { $0.topic == table.topic }?.nextOffset
        ?? ends[TopicPartition(topic: table.topic, partition: number)]?.beginning ?? 0
    }
    let path = context.spoolPath(number)
    try Folders.make(path)
    let opened = try Spool(
      path: path, tables: tables, record: record?.spool ?? SpoolRecord(), positions: positions, published: published)
    spool = opened
    lane.register(opened.ledger)
  }

  /// What is durable goes on to its tables; the rest comes again from the log.
  func releaseSpool() {
    guard let spool else { return }
    context.tables?.release(spool.ledger)
    self.spool = nil
  }

  /// Makes rows below S durable, before the checkpoint says that they are.
  func sealSpool(_ offsets: [Int64]) throws(HeadraceError) -> SpoolRecord {
    guard let spool else { return SpoolRecord() }
    let record = try spool.seal(positions(of: spool, offsets))
    RuntimeKillPoint.pass(.spoolSealed)
    return record
  }

  func noteSpoolCheckpoint(_ offsets: [Int64]) {
    guard let spool else { return }
    spool.noteCheckpoint(positions(of: spool, offsets))
  }

  /// S of each table's input.
  private func positions(of spool: Spool, _ offsets: [Int64]) -> [Int64] {
    spool.ledger.tables.map { table in
      inputs.firstIndex { $0.partition.topic == table.topic }.map { offsets[$0] } ?? 0
    }
  }

  func archiveTarget(ofSource index: Int) -> SourcePipeline.ArchiveTarget? {
    let name = EventArchive.name(source: context.plan.sources[index].name)
    guard let spool, let table = spool.ledger.tables.firstIndex(where: { $0.name == name }) else { return nil }
    return SourcePipeline.ArchiveTarget(spool: spool, table: table)
  }
}
