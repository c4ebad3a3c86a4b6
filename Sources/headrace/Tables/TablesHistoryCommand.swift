internal import ArgumentParser
internal import Core
internal import Delta

struct TablesHistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "The commits of a table, newest first, as far back as its log goes.",
    discussion: "The times are those that `tables show --at` goes by.")

  @OptionGroup var reference: TableReference
  @Option(help: ArgumentHelp("How many commits at most.", valueName: "count")) var limit = 20
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit \(limit): expected a number above 0") }
  }

  func run() async throws {
    let commits = try reference.open().history(countMax: limit)
    switch output {
    case .json: try StandardOutput.writeAll(commits.flatMap(json))
    case .table:
      var table = Table([
        ("version", .right), ("time", .left), ("operation", .left), ("files", .right), ("size", .right),
        ("offsets", .left),
      ])
      for commit in commits {
        let removed = commit.removedFiles > 0 ? " -\(commit.removedFiles)" : ""
        table.append([
          "\(commit.version)", RFC3339.text(milliseconds: commit.timestampMilliseconds), commit.info?.operation ?? "",
          commit.addedFiles > 0 || commit.removedFiles > 0 ? "+\(commit.addedFiles)\(removed)" : "",
          commit.addedFiles > 0 ? Figures.bytes(Double(commit.addedBytes)) : "", offsets(commit),
        ])
      }
      try StandardOutput.writeAll(Array(table.text.utf8))
    }
  }

  /// Where its events end: as the commit says it in the words of Kafka, else how far it brought its applications.
  private func offsets(_ commit: TableCommit) -> String {
    if let provenance = commit.info.flatMap({ CommitProvenance($0) }), !provenance.offsets.isEmpty {
      return provenance.offsets.map { "\($0.topic)/\($0.partition) to \($0.offset)" }.joined(separator: ", ")
    }
    return commit.transactions.map { "\($0.applicationID) to \($0.version)" }.joined(separator: ", ")
  }

  private func json(_ commit: TableCommit) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("version")
      writer.number(commit.version)
      writer.key("timestamp")
      writer.string(RFC3339.text(milliseconds: commit.timestampMilliseconds))
      writer.key("added_files")
      writer.number(commit.addedFiles)
      writer.key("added_bytes")
      writer.number(commit.addedBytes)
      writer.key("removed_files")
      writer.number(commit.removedFiles)
      writer.key("applications")
      writer.object { writer in
        for transaction in commit.transactions {
          writer.key(transaction.applicationID)
          writer.number(transaction.version)
        }
      }
      writer.key("commit_info")
      if let info = commit.info { writer.raw(info.json.utf8) } else { writer.null() }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
