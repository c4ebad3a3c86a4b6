internal import Columns
internal import Core

/// Reads JSON payloads into cells: one C call finds the fields of all records, one for each numeric field converts it.
final class JSONCellReader: CellReader {
  private var reader: JSONFieldReader
  /// For each cell, for each record around its field, which of the reader's fields that is.
  private let ancestors: [[Int]]

  init(_ contract: Contract, fields: [Int]) throws(HeadraceError) {
    let steps = fields.map { contract.fields[$0].steps.map(\.name) }
    var paths = try steps.map { (names) throws(HeadraceError) in try FieldPath(names: names) }
    ancestors = try steps.map { (names) throws(HeadraceError) in
      try (1..<names.count).map { (length) throws(HeadraceError) in
        paths.append(try FieldPath(names: Array(names[..<length])))
        return paths.count - 1
      }
    }
    reader = try JSONFieldReader(fields: paths)
  }

  func read(_ rows: inout DecodingRows, _ faults: inout [RecordFault]) throws(HeadraceError) {
    let payloads = rows.text.payloads
    let invalid = try reader.read(payloads.span, ends: rows.ends)
    checkDocuments(&rows, areValid: invalid == 0, &faults)
    for cell in rows.cells.indices { convert(cell, &rows, &faults) }
  }

  private func checkDocuments(_ rows: inout DecodingRows, areValid: Bool, _ faults: inout [RecordFault]) {
    for row in rows.ends.indices {
      let range = rows.range(of: row)
      if !areValid, var fault = reader.fault(document: row) {
        fault.position = min(fault.position - range.lowerBound, range.count)
        rows.report(RecordFault(row: row, code: .notJSON, found: .notJSON(fault)), &faults)
      } else if range.isEmpty || rows.text.payloads[range.lowerBound] != UInt8(ascii: "{") {
        guard !rows.text.startsObject(range) else { continue }
        rows.report(RecordFault(row: row, code: .wrongType, found: .bytes(0..<range.count)), &faults)
      }
    }
  }

  private func convert(_ cell: Int, _ rows: inout DecodingRows, _ faults: inout [RecordFault]) {
    let count = rows.count
    rows.cells[cell].reserve(count)
    let exceptions: Int
    switch rows.cells[cell].type.encoding {
    case .boolean:
      exceptions = rows.cells[cell].withIntegers { output, states in
        reader.booleans(field: cell, count: count, into: &output, states: &states)
      }
    case .integer(let bits, let factor, _):
      let payloads = rows.text.payloads
      exceptions = rows.cells[cell].withIntegers { output, states in
        reader.integers(
          field: cell, count: count, in: payloads, bits: bits, factor: factor, into: &output, states: &states)
      }
    case .single, .double:
      let payloads = rows.text.payloads
      let isSingle = if case .single = rows.cells[cell].type.encoding { true } else { false }
      exceptions = rows.cells[cell].withDoubles { output, states in
        reader.doubles(field: cell, count: count, in: payloads, isSingle: isSingle, into: &output, states: &states)
      }
    case .string:
      exceptions = reader.texts(field: cell, count: count, into: &rows.cells[cell])
    default:
      for row in 0..<count { rows.cells[cell].set(row, state: CellState.wrongKind) }
      exceptions = count
    }
    guard exceptions > 0 else { return }
    for row in 0..<count where rows.cells[cell].states[row] != CellState.value && !rows.isFaulty[row] {
      resolve(row, cell, &rows, &faults)
    }
  }

  /// What the fast paths leave over: nulls, missing fields, everything that is not written as its type usually is.
  private func resolve(_ row: Int, _ cell: Int, _ rows: inout DecodingRows, _ faults: inout [RecordFault]) {
    let value = reader.value(document: row, field: cell)
    let state = rows.cells[cell].states[row]
    rows.cells[cell].set(row, state: CellState.null)
    let type = rows.cells[cell].type
    let start = rows.range(of: row).lowerBound
    let found = RecordFault.Found.bytes((value.offset - start)..<(value.offset - start + value.count))
    switch value.kind {
    case .missing: missing(row, cell, &rows, &faults)
    case .null:
      if type.constraints.isRequired || type.steps.last?.isNullable != true {
        rows.report(row, .nullValue, cell: cell, found: found, &faults)
      }
    default:
      if state == CellState.outOfRange || state == CellState.notIntegral {
        let code: FaultCode = state == CellState.outOfRange ? .outOfRange : .notIntegral
        return rows.report(row, code, cell: cell, found: found, &faults)
      }
      if let code = store(value, row, cell, &rows) { rows.report(row, code, cell: cell, found: found, &faults) }
    }
  }

  private func store(_ value: JSONValue, _ row: Int, _ cell: Int, _ rows: inout DecodingRows) -> FaultCode? {
    let type = rows.cells[cell].type
    if case .document(let id) = type.encoding {
      return storeDocument(value, of: id, row, cell, &rows)
    }
    let payloads = rows.text.payloads
    let written = payloads.span.extracting(value.range)
    let converter = JSONScalar(encoding: type.encoding, allowsNaN: type.constraints.allowsNaN)
    let scalar: JSONScalar.Cell
    if value.kind == .escapedString {
      var unescaped: [UInt8] = []
      JSONText.unescape(written, into: &unescaped)
      scalar = converter.cell(.string, unescaped.span)
    } else {
      scalar = converter.cell(value.kind, written)
    }
    return rows.set(scalar, row, cell)
  }

  private func storeDocument(
    _ value: JSONValue, of id: AvroSchema.TypeID, _ row: Int, _ cell: Int, _ rows: inout DecodingRows
  ) -> FaultCode? {
    // Strings lie between their quotes.
    let isString = value.kind == .string || value.kind == .escapedString
    let range = isString ? (value.offset - 1)..<(value.offset + value.count + 1) : value.range
    do throws(JSONFault) {
      let payloads = rows.text.payloads
      let document = try JSONDocument(payloads.span.extracting(range), depthMax: AvroSchema.depthMax)
      var text: [UInt8] = []
      if let fault = CanonicalJSON(rows.contract.schema).write(document, id, to: &text) { return fault }
      return rows.set(.text(text), row, cell)
    } catch {
      return .tooDeep
    }
  }

  /// Looks for the outermost thing that is missing, and takes what it says.
  private func missing(_ row: Int, _ cell: Int, _ rows: inout DecodingRows, _ faults: inout [RecordFault]) {
    let type = rows.cells[cell].type
    for (level, field) in ancestors[cell].enumerated() {
      let ancestor = reader.value(document: row, field: field)
      let path = Array(type.steps[...level]).path
      switch ancestor.kind {
      case .object: continue
      case .missing: return rows.setMissing(row, cell, level: level, &faults)
      case .null:
        guard type.constraints.isRequired || !type.steps[level].isNullable else { return }
        return rows.report(RecordFault(row: row, code: .nullValue, path: path, field: nil), &faults)
      default: return rows.report(RecordFault(row: row, code: .wrongType, path: path, field: nil), &faults)
      }
    }
    rows.setMissing(row, cell, level: type.steps.count - 1, &faults)
  }

}

extension CellText {
  /// Whether the first byte of a payload that is not white space opens an object.
  fileprivate func startsObject(_ range: Range<Int>) -> Bool {
    payloads[range].first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 } == UInt8(ascii: "{")
  }
}
