internal import ArgumentParser
internal import Core
internal import Delta
internal import Storage

struct TablesShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Columns, properties and progress of a table, now or as it was.",
    discussion: """
      Applications are those that write the table, each with the offset behind the last event that is in it. Rows are \
      what the files' statistics say.
      """)

  @OptionGroup var reference: TableReference
  @OptionGroup var moment: TableMoment
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let table = try reference.open(at: moment.moment)
    let description = TableDescription(TableSummary(table), table.snapshot.metadata)
    switch output {
    case .json: try StandardOutput.writeAll(description.json)
    case .table: try StandardOutput.writeAll(Array(description.text.utf8))
    }
  }
}

/// All that `tables show` says of a table.
private struct TableDescription {
  let summary: TableSummary
  let metadata: TableMetadata

  init(_ summary: TableSummary, _ metadata: TableMetadata) {
    self.summary = summary
    self.metadata = metadata
  }

  private var snapshot: TableSnapshot { summary.snapshot }
  private var properties: [(key: String, value: String)] { metadata.configuration.sorted { $0.key < $1.key } }

  var text: String {
    var facts = Table([(summary.name, .left), ("", .left)])
    let time = RFC3339.text(milliseconds: snapshot.timestampMilliseconds)
    facts.append(["version", "\(snapshot.version), of \(time)"])
    facts.append(["rows", summary.rows])
    facts.append(["files", "\(Figures.grouped(snapshot.fileCount)), \(Figures.bytes(Double(summary.sizeBytes)))"])
    facts.append(["id", metadata.id])
    let versions = snapshot.tableProtocol
    facts.append(["protocol", "reader \(versions.readerVersion), writer \(versions.writerVersion)"])
    if !metadata.partitionColumns.isEmpty {
      facts.append(["partitioned by", metadata.partitionColumns.joined(separator: ", ")])
    }
    for (name, value) in properties { facts.append([name, value]) }
    var columns = Table([("column", .left), ("type", .left), ("null", .left)])
    for field in metadata.schema.fields {
      columns.append([field.name, field.type.name, field.isNullable ? "allowed" : "never"])
    }
    var parts = [facts.text, columns.text]
    if !snapshot.transactions.isEmpty {
      var applications = Table([("application", .left), ("offset", .right)])
      for transaction in snapshot.transactions {
        applications.append([transaction.applicationID, "\(transaction.version)"])
      }
      parts.append(applications.text)
    }
    return parts.joined(separator: "\n")
  }

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      summary.write(to: &writer)
      writer.key("id")
      writer.string(metadata.id)
      writer.key("reader_version")
      writer.number(snapshot.tableProtocol.readerVersion)
      writer.key("writer_version")
      writer.number(snapshot.tableProtocol.writerVersion)
      writer.key("partition_columns")
      writer.array { writer in
        for name in metadata.partitionColumns { writer.string(name) }
      }
      writer.key("properties")
      writer.object { writer in
        for (name, value) in properties {
          writer.key(name)
          writer.string(value)
        }
      }
      writer.key("schema")
      writer.raw(metadata.schema.json.utf8)
      writer.key("applications")
      writer.object { writer in
        for transaction in snapshot.transactions {
          writer.key(transaction.applicationID)
          writer.number(transaction.version)
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
