internal import ArgumentParser
internal import Core
internal import Delta
internal import Storage

struct TablesCompactCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact", abstract: "Rewrite small files into large ones, in one commit that changes no row.",
    discussion: """
      Writers go on meanwhile. A worker compacts its own tables every thirty versions: this is for tables of other \
      writers, and for another size. Older versions keep their files until `tables vacuum`.
      """)

  @OptionGroup var selection: TableSelection
  @Option(help: ArgumentHelp("How large files shall become.", valueName: "size"), transform: TableQuantity.bytes)
  var targetSize: Int64 = CompactionPolicy().targetBytes
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    var text = Table([("table", .left), ("version", .right), ("files", .left)])
    var lines: [UInt8] = []
    for table in try selection.open().tables {
      var table = table
      var policy = CompactionPolicy()
      policy.targetBytes = targetSize
      let outcome = try table.compact(policy, nowMilliseconds: WallClock.system.nowMilliseconds)
      let (removed, added) = try counts(outcome, table)
      let version = table.snapshot.version
      text.append([table.root.text, "\(version)", removed > 0 ? "\(removed) → \(added)" : "as they were"])
      lines += json(table.root, version, removed, added)
    }
    try StandardOutput.writeAll(output == .json ? lines : Array(text.text.utf8))
  }

  /// - Throws: TABLE_CONTENDED.
  private func counts(_ outcome: CompactionOutcome, _ table: DeltaTable) throws(HeadraceError) -> (Int, Int) {
    switch outcome {
    case .nothingToDo: (0, 0)
    case .compacted(_, let removed, let added): (removed, added)
    case .conflict(let conflict):
      throw HeadraceError(
        .external, "TABLE_CONTENDED", "other writers changed the files each time: \(conflict)", retry: .sameCall,
        place: table.place, remedy: "try again; one compaction at a time is enough")
    }
  }

  private func json(_ root: BlobName, _ version: Int64, _ removed: Int, _ added: Int) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("table")
      writer.string(root.text)
      writer.key("version")
      writer.number(version)
      writer.key("removed_files")
      writer.number(removed)
      writer.key("added_files")
      writer.number(added)
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

/// Quantities of the flags in here.
enum TableQuantity {
  static func bytes(_ text: String) throws -> Int64 {
    guard let bytes = Quantity.bytes(text), bytes > 0 else {
      throw ValidationError("\(text): expected a size, such as 128MiB")
    }
    return bytes
  }

  static func milliseconds(_ text: String) throws -> Int64 {
    guard let milliseconds = Quantity.milliseconds(text) else {
      throw ValidationError("\(text): expected a duration, such as 7d")
    }
    return milliseconds
  }
}
