internal import Core
internal import Delta
internal import Storage

/// Sizes of a table at one version.
struct TableSummary {
  let name: String
  let snapshot: TableSnapshot
  let sizeBytes: Int64

  init(_ table: DeltaTable) {
    name = table.root.text
    snapshot = table.snapshot
    sizeBytes = snapshot.files.reduce(0) { $0 &+ $1.sizeBytes }
  }

  /// As `tables list` shows it.
  var cells: [String] {
    [
      name, "\(snapshot.version)", rows, Figures.grouped(snapshot.fileCount), Figures.bytes(Double(sizeBytes)),
      RFC3339.text(milliseconds: snapshot.timestampMilliseconds),
    ]
  }

  var rows: String { snapshot.rowCount.map { Figures.grouped(Int(clamping: $0)) } ?? "unknown" }

  /// One line.
  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { write(to: &$0) }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  /// Members of an object.
  func write(to writer: inout JSONWriter) {
    writer.key("table")
    writer.string(name)
    writer.key("version")
    writer.number(snapshot.version)
    writer.key("timestamp")
    writer.string(RFC3339.text(milliseconds: snapshot.timestampMilliseconds))
    writer.key("rows")
    if let rows = snapshot.rowCount { writer.number(rows) } else { writer.null() }
    writer.key("files")
    writer.number(snapshot.fileCount)
    writer.key("bytes")
    writer.number(sizeBytes)
  }
}
