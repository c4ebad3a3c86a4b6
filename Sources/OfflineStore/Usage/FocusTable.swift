internal import Columns
package import Core
package import Cost
internal import Delta
package import Storage

/// The table `focus`: charges with the columns of FOCUS 1.0.
package enum FocusTable {
  package static let name = "focus"
  private static let attempts = 5

  /// - Throws: TABLE_CONTENDED when others were quicker each time, and what the store throws.
  package static func append(
    _ export: FocusExport, to store: any BlobStore, nowMilliseconds now: Int64
  ) throws(HeadraceError) {
    let types = FocusExport.columns.map { type(of: $0.kind) }
    let schema = try DeltaSchema(zip(FocusExport.columns, types).map { DeltaField($0.name, DeltaType($1)) })
    var batch = ColumnBatch(types)
    for row in export.rows {
      for (column, cell) in row.enumerated() {
        if !batch.columns[column].append(value(of: cell)) { batch.columns[column].appendNull() }
      }
      batch.rowCount += 1
    }
    for _ in 0..<attempts {
      var table = try DeltaTable.openOrCreate(
        store, try BlobName(name), schema: schema, name: name, nowMilliseconds: now)
      let writer = try TableWriter(table)
      do throws(HeadraceError) {
        try writer.append(batch, nowMilliseconds: now)
      } catch {
        writer.abandon()
        throw error
      }
      let files = try writer.finish(nowMilliseconds: now)
      if case .committed = try table.commit(.append(files), nowMilliseconds: now) { return }
    }
    throw HeadraceError(
      .external, "TABLE_CONTENDED", "other writers changed the table \(attempts) times", retry: .sameCall, place: name)
  }

  private static func type(of kind: FocusExport.Column.Kind) -> ColumnType {
    switch kind {
    case .text: .string
    case .number: .double
    case .time: .timestamp
    }
  }

  private static func value(of cell: FocusExport.Cell) -> Value {
    switch cell {
    case .null: .null
    case .text(let text): .string(text)
    case .number(let number): .double(number)
    case .time(let milliseconds): .timestamp(milliseconds &* 1_000)
    }
  }
}
