internal import Core
internal import Kafka
internal import OfflineStore
internal import Runtime
internal import Storage
internal import Topology

/// Writes the features of a view, after each event of the past, into a table: a new view's history, for training.
final class TableReplay {
  private let selection: ReplaySelection
  private let store: any BlobStore
  private let view: Int
  private let table: String
  private let name: String
  private let stop: StopRequest
  private var report: ReplayReport
  private var progress = ReplayProgress()

  /// - Parameter view: nil: the one that the table is called after, or the only one.
  /// - Throws: NO_SUCH_VIEW, VIEW_REPARTITIONED.
  init(
    _ selection: ReplaySelection, _ store: any BlobStore, view wanted: String?, into table: String, name: String?,
    _ stop: StopRequest
  ) throws(HeadraceError) {
    let plan = selection.plan
    let last = table.split(separator: "/").last.map(String.init) ?? table
    let found =
      wanted.map { plan.view(named: $0) } ?? plan.view(named: last) ?? (plan.views.count == 1 ? 0 : nil)
    guard let view = found else {
      throw HeadraceError(
        .user, "NO_SUCH_VIEW", "there is no view `\(wanted ?? last)`", place: plan.document.file,
        remedy: "--view: one of \(plan.views.map(\.name).joined(separator: ", "))")
    }
    guard !plan.views[view].isRepartitioned else {
      throw HeadraceError(
        .user, "VIEW_REPARTITIONED", "the view's rows are made of all partitions together, one of which is read here",
        place: "view \(plan.views[view].name)", remedy: "build a dataset instead: headrace dataset build")
    }
    self.selection = selection
    self.store = store
    self.view = view
    self.table = table
    self.stop = stop
    self.name = name ?? "\(plan.name)/\(plan.views[view].fingerprint)"
    report = ReplayReport(plan, sources: [plan.views[view].source])
    (report.target, report.name) = (table, self.name)
  }

  func run() throws -> (ReplayReport, ExitStatus) {
    let started = WallClock.monotonic.nowMilliseconds
    let plan = selection.plan
    let source = plan.sources[plan.views[view].source]
    guard let archive = try ArchiveSnapshot.open(store, source: source.name) else {
      throw HeadraceError(
        .user, "ARCHIVE_MISSING", "there is no table of archived events",
        place: "\(store.place)/\(EventArchive.name(source: source.name))",
        remedy: "run the topology with `archive: on` (the default)")
    }
    let partitions = archive.progress(topology: plan.name, topic: source.topic)
    report.isDone = true
    for (index, partition) in partitions.keys.sorted().enumerated() where !stop.isRaised {
      let share = { (done: Double) in (Double(index) + done) / Double(partitions.count) }
      report.isDone = try replay(partition, partitions.count, archive, share: share) && report.isDone
    }
    progress.clear()
    report.isDone = report.isDone && !stop.isRaised
    report.milliseconds = WallClock.monotonic.nowMilliseconds - started
    return (report, report.isDone ? .success : stop.status ?? .failed)
  }

  /// - Returns: whether it came to its end.
  private func replay(
    _ partition: Int32, _ partitionCount: Int, _ archive: ArchiveSnapshot, share: (Double) -> Double
  ) throws -> Bool {
    let plan = selection.plan
    let topic = plan.sources[plan.views[view].source].topic
    let target = try PartitionTable(
      store, name: table, fields: FeatureReplay.fields(plan, view: view),
      application: "replay/\(name)/\(topic)/\(partition)",
      origin: .init(topic: topic, partition: partition, planFingerprint: plan.fingerprint.description),
      nowMilliseconds: WallClock.system.nowMilliseconds)
    if target.position != nil { report.isResumed = true }
    let replay = try FeatureReplay(
      .init(
        plan: plan, view: view, partition: partition, partitionCount: Int32(clamping: partitionCount),
        times: selection.times, clock: selection.clock == .event ? .event : .known),
      archive, into: target)
    guard target.position ?? .min < replay.range.upperBound else { return true }
    var isOpen = true
    while isOpen, !stop.isRaised {
      isOpen = try replay.advance(nowMilliseconds: WallClock.system.nowMilliseconds)
      ReplayKillPoint.pass(.rowsMade)
      let done = Double(replay.position - replay.range.lowerBound) / Double(max(replay.range.count, 1))
      progress.draw(records: report.published + replay.eventCount, fraction: share(done), label: table)
    }
    // What is made so far need not be made again.
    if isOpen { try replay.flush(WallClock.system.nowMilliseconds) }
    report.sources[0].fromArchive += replay.eventCount
    report.published += target.rowCount
    return !isOpen
  }
}
