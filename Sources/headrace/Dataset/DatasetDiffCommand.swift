internal import ArgumentParser
internal import Core
internal import Kafka
internal import OfflineStore

struct DatasetDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "What changed from one dataset to another: what they were made of, and which values.",
    discussion: """
      Rows belong together when the columns of their labels are equal. Shown are the service and the views, versions \
      and offsets of what was read, the schema, labels that only one of them has, and for each feature how many values \
      differ, with examples. Exit codes: 0 nothing differs; 1 something does, or it failed; 2 wrong usage.
      """)

  @Argument(help: ArgumentHelp("NAME, NAME/VERSION, or a folder.", valueName: "before")) var before: String
  @Argument(help: ArgumentHelp("NAME, NAME/VERSION, or a folder.", valueName: "after")) var after: String
  @OptionGroup var place: TableOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let (first, second) = (
      try DatasetReference.find(before, place), try DatasetReference.find(after, place)
    )
    let (catalog, old, otherCatalog, new) = (first.0, first.1, second.0, second.1)
    let difference = try await BlockingThread(name: "diff").run {
      try catalog.difference(old, new, in: otherCatalog)
    }
    switch output {
    case .json: try StandardOutput.writeAll(difference.json)
    case .table: try StandardOutput.writeAll(Array(difference.text.utf8))
    }
    if !difference.isEmpty { throw Ended(status: .failed) }
  }
}

extension DatasetDifference {
  fileprivate var text: String {
    guard !isEmpty else { return "\(Figures.grouped(commonRows)) rows: nothing differs\n" }
    var manifest = Table([("what", .left), ("before", .left), ("after", .left)])
    for change in changes { manifest.append([change.what, change.before ?? "-", change.after ?? "-"]) }
    var values = Table([("feature", .left), ("rows", .right), ("label", .left), ("before", .left), ("after", .left)])
    for column in columns {
      for (index, example) in column.examples.enumerated() {
        values.append([
          index == 0 ? column.name : "", index == 0 ? Figures.grouped(column.rowCount) : "", example.key,
          example.before, example.after,
        ])
      }
    }
    var parts = changes.isEmpty ? [] : [manifest.text]
    parts.append(
      "\(Figures.grouped(commonRows)) labels in both, \(Figures.grouped(onlyBefore)) only before, "
        + "\(Figures.grouped(onlyAfter)) only after; \(columns.count) features differ\n")
    if !columns.isEmpty { parts.append(values.text) }
    return parts.joined(separator: "\n")
  }

  fileprivate var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("changes")
      writer.array { writer in
        for change in changes {
          writer.object { writer in
            writer.key("what")
            writer.string(change.what)
            for (key, text) in [("before", change.before), ("after", change.after)] {
              writer.key(key)
              if let text { writer.string(text) } else { writer.null() }
            }
          }
        }
      }
      for (key, count) in [("common_rows", commonRows), ("only_before", onlyBefore), ("only_after", onlyAfter)] {
        writer.key(key)
        writer.number(count)
      }
      writer.key("features")
      writer.array { writer in
        for column in columns {
          writer.object { writer in
            writer.key("name")
            writer.string(column.name)
            writer.key("row_count")
            writer.number(column.rowCount)
            writer.key("examples")
            writer.array { writer in
              for example in column.examples {
                writer.object { writer in
                  for (key, text) in [("label", example.key), ("before", example.before), ("after", example.after)] {
                    writer.key(key)
                    writer.string(text)
                  }
                }
              }
            }
          }
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
