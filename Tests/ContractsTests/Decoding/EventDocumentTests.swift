import Columns
import Contracts
import Core
import Testing

/// Documents that are made of columns are the columns again.
@Suite struct EventDocumentTests {
  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `a document of decoded values decodes to these values`(seed: UInt64) throws {
    var schemas = RandomSchemas(seed: seed)
    let type = schemas.record()
    let contract = try Contract(subject: "random", json: Array(type.json.utf8), file: "random.avsc")
    let values = (0..<20).map { _ in schemas.value(type) }
    let decoder = try RecordDecoder(contract: contract, format: .json, columns: Array(contract.fields.indices))
    for value in values {
      let json = Array(value.json(type, loose: seed % 2 == 0).utf8)
      unsafe decoder.append(json.span.bytes)
    }
    var batch = decoder.makeBatch()
    var faults: [RecordFault] = []
    try decoder.decode(into: &batch, faults: &faults)
    #expect(faults.isEmpty, "seed \(seed)")
    let document = EventDocument(contract)
    var payloads: [[UInt8]?] = []
    for row in 0..<batch.rowCount {
      var json: [UInt8] = []
      document.write(batch, row: row, to: &json)
      payloads.append(json)
    }
    let again = try decode(payloads, contract)
    #expect(again.faults.isEmpty, "seed \(seed): \(again.faults)")
    #expect(
      again.rows == (0..<batch.rowCount).map { row in batch.columns.map { $0.value(row) } },
      "seed \(seed): \(type.json)")
  }

  @Test func `text of a time may say more than the schema's numbers`() throws {
    let contract = try contract(#"{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}"#)
    for text in ["1969-12-31T23:59:59.999999Z", "2013-01-31T05:06:07.000123Z", "2013-01-31T05:06:07.5Z"] {
      let decoder = try RecordDecoder(contract: contract, format: .json, columns: [0])
      let json = Array(#"{"t":"\#(text)"}"#.utf8)
      unsafe decoder.append(json.span.bytes)
      var batch = decoder.makeBatch()
      var faults: [RecordFault] = []
      try decoder.decode(into: &batch, faults: &faults)
      #expect(faults.isEmpty)
      var document: [UInt8] = []
      EventDocument(contract).write(batch, row: 0, to: &document)
      #expect(try decode([document], contract).rows == [[batch.columns[0].value(0)]], "\(text)")
    }
  }
}
