package import Columns
package import Core

/// Decodes the values of one topic's records into columns, a batch at a time.
///
/// Only the fields that somebody wants, and those whose constraints are checked, are looked at. A record that breaks
/// its contract becomes a row of nulls and a fault; its neighbours are not disturbed. Nothing is allocated for a record
/// without fault: buffers are reused from batch to batch.
///
/// One for each worker thread and source. The rules of JSON are those of `JSONScalar`; besides: names that the contract
/// does not know are ignored; of a name that comes twice the last one counts; a missing field says what its default
/// says, without one null where null is allowed; null is never replaced by a default. Avro's binary form follows the
/// schema resolution of Avro 1.12.
package final class RecordDecoder {
  package let contract: Contract
  package let format: PayloadFormat
  /// The positions in the contract of the batch's columns.
  package let columns: [Int]
  /// A larger value is a fault; its bytes are not even copied.
  package let payloadBytesMax: Int

  private var rows: DecodingRows
  /// For each column of the batch its cell.
  private let cellOfColumn: [Int]
  private let reader: any CellReader

  /// - Parameters:
  ///   - columns: fields of the contract, in the order of the batch's columns.
  ///   - schemas: asked for the schemas of writers by `.avroConfluent`.
  ///   - payloadBytesMax: at most 1 GiB.
  package init(
    contract: Contract, format: PayloadFormat, columns: [Int], schemas: any WriterSchemas = NoWriterSchemas(),
    payloadBytesMax: Int = 16 << 20
  ) throws(HeadraceError) {
    precondition(columns.allSatisfy { contract.fields.indices.contains($0) }, "a column is no field of the contract")
    precondition((0...1 << 30).contains(payloadBytesMax))
    self.contract = contract
    self.format = format
    self.columns = columns
    self.payloadBytesMax = payloadBytesMax
    let wanted = Set(columns)
    let checked = contract.fields.indices.filter { wanted.contains($0) || !contract.fields[$0].constraints.isEmpty }
    rows = DecodingRows(contract, fields: checked, isSeparated: format == .json)
    cellOfColumn = columns.map { column in checked.firstIndex(of: column) ?? 0 }
    switch format {
    case .json: reader = try JSONCellReader(contract, fields: checked)
    case .avro, .avroConfluent:
      reader = try AvroCellReader(contract, fields: checked, isFramed: format == .avroConfluent, schemas: schemas)
    }
  }

  /// An empty batch with this decoder's columns.
  package func makeBatch() -> ColumnBatch { ColumnBatch(columns.map { contract.fields[$0].type }) }

  /// How many records wait for `decode`.
  package var count: Int { rows.count }

  /// Bytes that wait for `decode`; they may be at most 2 GiB.
  package var byteCount: Int { rows.text.payloads.count }

  /// Adds a record; its bytes are copied.
  ///
  /// - Parameter value: nil is a tombstone.
  package func append(_ value: RawSpan?) {
    guard let value else { return rows.refuse(.tombstone) }
    guard value.byteCount <= payloadBytesMax else { return rows.refuse(.tooLarge) }
    rows.append(value)
  }

  /// Decodes everything that was added since the last call: row k is the k-th record.
  ///
  /// - Parameters:
  ///   - batch: made by `makeBatch`; what it held is dropped.
  ///   - faults: at most one for each record, in the order of the rows; what it held is dropped.
  /// - Throws: when there is no memory; the records wait for another call.
  package func decode(into batch: inout ColumnBatch, faults: inout [RecordFault]) throws(HeadraceError) {
    batch.removeAll()
    faults.removeAll(keepingCapacity: true)
    rows.begin(&faults)
    try reader.read(&rows, &faults)
    for cell in rows.cells.indices { rows.check(cell, &faults) }
    for (column, cell) in cellOfColumn.enumerated() { rows.write(cell, to: &batch.columns[column]) }
    batch.rowCount = rows.count
    if faults.count > 1 { faults.sort { $0.row < $1.row } }
    rows.removeAll()
  }
}
