internal import ArgumentParser
internal import Core
internal import Delta
internal import OfflineStore
internal import Storage

struct TablesVacuumCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vacuum", abstract: "Delete files and entries of the log that no version needs any more.",
    discussion: """
      Files go that the table has removed longer ago than its retention, or that a writer left behind when it died; \
      then entries of the log that are older than the log's retention and for which a checkpoint stands. Versions that \
      datasets were made of keep both, as long as the datasets are there: those beside the tables, and those that \
      --keep names. A worker does the same with its own tables, every nine hundred versions.

      Retentions are properties of a table (delta.deletedFileRetentionDuration, 7 days; delta.logRetentionDuration, \
      30 days). A shorter one takes away what a slow writer is about to commit: allow it only when nobody writes.
      """)

  @OptionGroup var selection: TableSelection
  @Option(
    help: ArgumentHelp("Keep removed files for so long. (default: the table's own)", valueName: "duration"),
    transform: TableQuantity.milliseconds)
  var retention: Int64?
  @Flag(help: "Allow a --retention that is shorter than the table's.") var allowShortRetention = false
  @Option(help: ArgumentHelp("A dataset that lies elsewhere; repeatable.", valueName: "folder")) var keep: [String] = []
  @Flag(help: "Say what would be deleted, and delete nothing.") var dryRun = false
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let (store, tables) = try selection.open()
    var pins = try DatasetPins(in: store)
    for folder in keep { pins.add(try DatasetReference.entry(inFolder: folder).1) }
    var text = Table([
      ("table", .left), ("files", .right), ("size", .right), ("log entries", .right), ("kept for datasets", .left),
    ])
    var lines: [UInt8] = []
    for table in tables {
      let result = try vacuum(table, pins)
      text.append(result.cells)
      lines += result.json
    }
    guard output == .table else { return try StandardOutput.writeAll(lines) }
    try StandardOutput.writeAll(Array((text.text + (dryRun ? "nothing was deleted: --dry-run\n" : "")).utf8))
  }

  private func vacuum(_ table: DeltaTable, _ pins: DatasetPins) throws(HeadraceError) -> VacuumResult {
    var table = table
    let now = WallClock.system.nowMilliseconds
    var policy = VacuumPolicy()
    policy.retentionMilliseconds = retention
    policy.allowsShortRetention = allowShortRetention
    policy.pinnedVersions = pins.versions(of: table.root)
    policy.isDryRun = dryRun
    let report = try table.vacuum(policy, nowMilliseconds: now)
    let entries = try table.cleanUpLog(
      nowMilliseconds: now, pinnedVersions: policy.pinnedVersions, isDryRun: dryRun)
    return VacuumResult(
      table: table.root.text, report: report, logEntries: entries, pins: pins.pins(of: table.root), isDryRun: dryRun)
  }
}

/// What became of one table.
private struct VacuumResult {
  var table: String
  var report: VacuumReport
  var logEntries: Int
  var pins: [DatasetPins.Pin]
  var isDryRun: Bool

  var cells: [String] {
    let versions = pins.map { "\($0.dataset) (version \($0.version))" }.joined(separator: ", ")
    return [
      table, Figures.grouped(report.deleted.count), Figures.bytes(Double(report.deletedBytes)),
      Figures.grouped(logEntries), pins.isEmpty ? "" : "\(Figures.grouped(report.pinned.count)): \(versions)",
    ]
  }

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("table")
      writer.string(table)
      writer.key("dry_run")
      writer.boolean(isDryRun)
      writer.key("deleted_files")
      writer.array { writer in
        for name in report.deleted { writer.string(name.text) }
      }
      writer.key("deleted_bytes")
      writer.number(report.deletedBytes)
      writer.key("deleted_log_entries")
      writer.number(logEntries)
      writer.key("kept_files")
      writer.array { writer in
        for name in report.pinned { writer.string(name.text) }
      }
      writer.key("pins")
      writer.array { writer in
        for pin in pins {
          writer.object { writer in
            writer.key("dataset")
            writer.string(pin.dataset)
            writer.key("version")
            writer.number(pin.version)
          }
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
