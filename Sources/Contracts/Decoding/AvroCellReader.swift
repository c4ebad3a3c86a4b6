internal import Columns
internal import Core

/// Reads Avro's binary form into cells, record by record: each writer's schema has a plan.
///
/// Confluent's framing comes in two forms. The value starts with a zero byte and the schema's id: that is what is read
/// here. Or the record has a header `__value_schema_id` with a version byte and a 16-byte GUID, and the value is bare:
/// such a value has no zero byte and id in front, and is a fault (`NOT_FRAMED`).
final class AvroCellReader: CellReader {
  private let contract: Contract
  private let fields: [Int]
  private let isFramed: Bool
  private let schemas: any WriterSchemas
  /// The plan for the contract's own schema.
  private let ownPlan: AvroPlan
  private var plans: [Int32: AvroPlan] = [:]
  private static let plansMax = 1_000

  init(_ contract: Contract, fields: [Int], isFramed: Bool, schemas: any WriterSchemas) throws(HeadraceError) {
    self.contract = contract
    self.fields = fields
    self.isFramed = isFramed
    self.schemas = schemas
    ownPlan = AvroPlan(writer: contract.schema, contract: contract, fields: fields)
  }

  func read(_ rows: inout DecodingRows, _ faults: inout [RecordFault]) throws(HeadraceError) {
    let count = rows.count
    for cell in rows.cells.indices { rows.cells[cell].clear(count) }
    let payloads = rows.text.payloads
    for row in 0..<count where !rows.isFaulty[row] {
      var range = rows.range(of: row)
      let plan: AvroPlan
      if isFramed {
        guard let id = Self.schemaID(payloads.span, range) else {
          rows.report(RecordFault(row: row, code: .notFramed, found: .bytes(0..<min(5, range.count))), &faults)
          continue
        }
        switch self.plan(id) {
        case .success(let found): plan = found
        case .failure(let failure):
          rows.report(RecordFault(row: row, code: failure.code, found: .schema(id: id)), &faults)
          continue
        }
        range = (range.lowerBound + 5)..<range.upperBound
      } else {
        plan = ownPlan
      }
      read(plan, payloads.span, range, row, &rows, &faults)
    }
  }

  private static func schemaID(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int32? {
    guard range.count >= 5, bytes[range.lowerBound] == 0 else { return nil }
    var id: UInt32 = 0
    for index in 1...4 { id = id << 8 | UInt32(bytes[range.lowerBound + index]) }
    return Int32(bitPattern: id)
  }

  private func plan(_ id: Int32) -> Result<AvroPlan, AvroFailure> {
    if let known = plans[id] { return .success(known) }
    switch schemas.schema(id: id) {
    case .unknown: return .failure(AvroFailure(code: .unknownSchema))
    case .unavailable: return .failure(AvroFailure(code: .schemaUnavailable))
    case .found(let writer):
      guard case .record = writer.types[writer.root].shape else {
        return .failure(AvroFailure(code: .incompatibleSchema))
      }
      if plans.count >= Self.plansMax { plans.removeAll() }
      let plan = AvroPlan(writer: writer, contract: contract, fields: fields)
      plans[id] = plan
      return .success(plan)
    }
  }

  private func read(
    _ plan: AvroPlan, _ bytes: Span<UInt8>, _ range: Range<Int>, _ row: Int, _ rows: inout DecodingRows,
    _ faults: inout [RecordFault]
  ) {
    var cursor = AvroCursor(bytes, range)
    do throws(AvroFailure) {
      try read(plan, plan.root, &cursor, row, &rows, depth: 0)
      guard cursor.isAtEnd else { throw .malformed }
    } catch {
      if let cell = error.cell { return rows.report(row, error.code, cell: cell, &faults) }
      let found = RecordFault.Found.bytes(
        (cursor.position - rows.range(of: row).lowerBound)..<rows.range(of: row).count)
      return rows.report(RecordFault(row: row, code: error.code, found: found), &faults)
    }
    for (cell, level) in plan.absent where rows.cells[cell].states[row] == CellState.missing {
      rows.setMissing(row, cell, level: level, &faults)
    }
    for cell in rows.cells.indices where rows.cells[cell].states[row] != CellState.value {
      if rows.cells[cell].type.constraints.isRequired { rows.report(row, .nullValue, cell: cell, &faults) }
    }
  }

  private func read(
    _ plan: AvroPlan, _ index: Int, _ cursor: inout AvroCursor, _ row: Int, _ rows: inout DecodingRows, depth: Int
  ) throws(AvroFailure) {
    guard depth < 4 * AvroSchema.depthMax else { throw AvroFailure(code: .tooDeep) }
    try cursor.step()
    switch plan.steps[index] {
    case .nothing: break
    case .skip(let count): _ = try cursor.take(count)
    case .skipVarint: _ = try cursor.long()
    case .skipText: _ = try cursor.text()
    case .skipBlocks(let item, let isMap):
      while let block = try cursor.block() {
        if let byteCount = block.byteCount {
          _ = try cursor.take(byteCount)
          continue
        }
        for _ in 0..<block.count {
          let start = cursor.position
          if isMap { _ = try cursor.text() }
          try read(plan, item, &cursor, row, &rows, depth: depth + 1)
          try cursor.endItem(from: start)
        }
      }
    case .sequence(let first, let count):
      for part in first..<(first + count) {
        try read(plan, plan.parts[part], &cursor, row, &rows, depth: depth + 1)
      }
    case .union(let first, let count):
      let branch = plan.parts[first + (try cursor.index(below: count))]
      try read(plan, branch, &cursor, row, &rows, depth: depth + 1)
    case .null(let first, let count):
      for part in first..<(first + count) { rows.cells[plan.parts[part]].set(row, state: CellState.null) }
    case .string(let cell):
      let range = try cursor.text()
      guard UTF8Text.isValid(cursor.bytes.extracting(range)) else { throw AvroFailure(code: .notUTF8, cell: cell) }
      rows.cells[cell].set(row, start: range.lowerBound, count: range.count)
    case .double(let cell): rows.cells[cell].set(row, try cursor.double())
    case .long(let factor, let cell):
      let (value, overflow) = try cursor.long().multipliedReportingOverflow(by: factor)
      if overflow { throw AvroFailure(code: .outOfRange, cell: cell) }
      rows.cells[cell].set(row, value)
    case .scalar(let scalar, let cell): try read(plan.scalars[scalar], &cursor, row, cell, &rows)
    case .document(let writer, let reader, let cell):
      var text: [UInt8] = []
      let document = AvroDocument(writer: plan.writer, reader: plan.reader, cell: cell)
      try document.write(writer, reader, from: &cursor, to: &text, depth: 0)
      rows.cells[cell].set(row, start: rows.text.add(text), count: text.count)
    case .failure(let code, let cell): throw AvroFailure(code: code, cell: cell)
    }
  }

  private func read(
    _ scalar: AvroScalar, _ cursor: inout AvroCursor, _ row: Int, _ cell: Int, _ rows: inout DecodingRows
  ) throws(AvroFailure) {
    switch try scalar.read(&cursor, cell: cell) {
    case .integer(let value): rows.cells[cell].set(row, value)
    case .double(let value): rows.cells[cell].set(row, value)
    case .decimal(let value): rows.cells[cell].set(row, value)
    case .text(let range): rows.cells[cell].set(row, start: range.lowerBound, count: range.count)
    case .made(let bytes): rows.cells[cell].set(row, start: rows.text.add(bytes), count: bytes.count)
    }
  }
}
