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

  func read(_ decoder: RecordDecoder, _ faults: inout [RecordFault]) throws(HeadraceError) {
    let rows = decoder.ends.count
    for cell in decoder.cells.indices { decoder.cells[cell].clear(rows) }
    let payloads = decoder.text.payloads
    for row in 0..<rows where !decoder.isFaulty[row] {
      var range = decoder.range(of: row)
      let plan: AvroPlan
      if isFramed {
        guard let id = Self.schemaID(payloads.span, range) else {
          decoder.report(RecordFault(row: row, code: .notFramed, found: .bytes(0..<min(5, range.count))), &faults)
          continue
        }
        switch self.plan(id) {
        case .success(let found): plan = found
        case .failure(let failure):
          decoder.report(RecordFault(row: row, code: failure.code, found: .schema(id: id)), &faults)
          continue
        }
        range = (range.lowerBound + 5)..<range.upperBound
      } else {
        plan = ownPlan
      }
      read(plan, payloads.span, range, row, decoder, &faults)
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
    _ plan: AvroPlan, _ bytes: Span<UInt8>, _ range: Range<Int>, _ row: Int, _ decoder: RecordDecoder,
    _ faults: inout [RecordFault]
  ) {
    var cursor = AvroCursor(bytes, range)
    do throws(AvroFailure) {
      try read(plan, plan.root, &cursor, row, decoder, depth: 0)
      guard cursor.isAtEnd else { throw .malformed }
    } catch {
      if let cell = error.cell { return decoder.report(row, error.code, cell: cell, &faults) }
      let found = RecordFault.Found.bytes(
        (cursor.position - decoder.range(of: row).lowerBound)..<decoder.range(of: row).count)
      return decoder.report(RecordFault(row: row, code: error.code, found: found), &faults)
    }
    for (cell, level) in plan.absent where decoder.cells[cell].states[row] == CellState.missing {
      decoder.setMissing(row, cell, level: level, &faults)
    }
    for cell in decoder.cells.indices where decoder.cells[cell].states[row] != CellState.value {
      if decoder.cells[cell].type.constraints.isRequired { decoder.report(row, .nullValue, cell: cell, &faults) }
    }
  }

  private func read(
    _ plan: AvroPlan, _ index: Int, _ cursor: inout AvroCursor, _ row: Int, _ decoder: RecordDecoder, depth: Int
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
          if isMap { _ = try cursor.text() }
          try read(plan, item, &cursor, row, decoder, depth: depth + 1)
        }
      }
    case .sequence(let parts):
      for part in parts { try read(plan, part, &cursor, row, decoder, depth: depth + 1) }
    case .union(let branches):
      let branch = branches[try cursor.index(below: branches.count)]
      try read(plan, branch, &cursor, row, decoder, depth: depth + 1)
    case .null(let cells): for cell in cells { decoder.cells[cell].set(row, state: CellState.null) }
    case .scalar(let scalar, let cell):
      switch try scalar.read(&cursor, cell: cell) {
      case .integer(let value): decoder.cells[cell].set(row, value)
      case .double(let value): decoder.cells[cell].set(row, value)
      case .decimal(let value): decoder.cells[cell].set(row, value)
      case .text(let range): decoder.cells[cell].set(row, start: range.lowerBound, count: range.count)
      case .made(let bytes): decoder.cells[cell].set(row, start: decoder.text.add(bytes), count: bytes.count)
      }
    case .document(let writer, let reader, let cell):
      var text: [UInt8] = []
      let document = AvroDocument(writer: plan.writer, reader: plan.reader, cell: cell)
      try document.write(writer, reader, from: &cursor, to: &text, depth: 0)
      decoder.cells[cell].set(row, start: decoder.text.add(text), count: text.count)
    case .failure(let code, let cell): throw AvroFailure(code: code, cell: cell)
    }
  }
}
