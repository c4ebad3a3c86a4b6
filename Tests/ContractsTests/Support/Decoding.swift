import Columns
import Contracts
import Core

/// A contract out of the fields of one record, as JSON.
func contract(_ fields: String) throws -> Contract {
  try Contract(
    subject: "test", json: Array(#"{"type":"record","name":"event","namespace":"t","fields":[\#(fields)]}"#.utf8),
    file: "test.avsc")
}

/// What a decoder made of some payloads: for each record its values, or the code of its fault.
struct Decoded {
  var rows: [[Value]]
  var faults: [RecordFault]

  func fault(_ row: Int) -> RecordFault? { faults.first { $0.row == row } }
}

func decode(
  _ payloads: [[UInt8]?], _ contract: Contract, _ format: PayloadFormat = .json,
  columns: [Int]? = nil, schemas: any WriterSchemas = NoWriterSchemas(), payloadBytesMax: Int = 1 << 20
) throws -> Decoded {
  let decoder = try RecordDecoder(
    contract: contract, format: format, columns: columns ?? Array(contract.fields.indices), schemas: schemas,
    payloadBytesMax: payloadBytesMax)
  return try decode(payloads, by: decoder)
}

func decode(_ payloads: [[UInt8]?], by decoder: RecordDecoder) throws -> Decoded {
  for payload in payloads {
    if let payload { unsafe decoder.append(payload.span.bytes) } else { decoder.append(nil) }
  }
  var batch = decoder.makeBatch()
  var faults: [RecordFault] = []
  try decoder.decode(into: &batch, faults: &faults)
  let rows = (0..<batch.rowCount).map { row in batch.columns.map { $0.value(row) } }
  return Decoded(rows: rows, faults: faults)
}

/// One field, one value of it.
func decodeJSON(_ field: String, _ value: String) throws -> (value: Value?, code: FaultCode?) {
  let contract = try contract(#"{"name":"x",\#(field)}"#)
  let decoded = try decode([Array(#"{"x":\#(value)}"#.utf8)], contract)
  return (decoded.faults.isEmpty ? decoded.rows[0][0] : nil, decoded.faults.first?.code)
}
