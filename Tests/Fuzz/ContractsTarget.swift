internal import Columns
internal import Contracts
internal import Core

/// Everything that contracts read from outside: payloads in both formats, schemas, patterns. The first byte of an input
/// chooses.
///
/// Whatever the bytes are: as many rows as records, nulls exactly where a fault is, and the same outcome for a record
/// alone as among others.
final class ContractsTarget: FuzzTarget {
  static let name = "contracts"

  private enum Part: UInt8, CaseIterable {
    case json, avro, confluent, schema, pattern

    init(selector: UInt8) { self = Self.allCases[Int(selector) % Self.allCases.count] }
  }

  private let contract: Contract
  private let writer: AvroSchema
  private var decoders: [RecordDecoder] = []
  private var batch = ColumnBatch([])
  private var faults: [RecordFault] = []

  init() {
    do {
      contract = try Contract(subject: "fuzz", json: Array(Self.contractText.utf8), file: "fuzz.avsc")
      writer = try AvroSchema(json: Array(Self.writerText.utf8), place: "writer.avsc")
      for format in [PayloadFormat.json, .avro, .avroConfluent] {
        decoders.append(
          try RecordDecoder(
            contract: contract, format: format, columns: Array(contract.fields.indices),
            schemas: Writer(schema: writer),
            payloadBytesMax: 32 << 10))
      }
    } catch {
      preconditionFailure("the seeds of the fuzzer are wrong: \(error)")
    }
  }

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    guard let selector = input.first else { return Signature() }
    let part = Part(selector: selector)
    let data = Array(input.dropFirst())
    var signature = Signature()
    signature.add(Int(part.rawValue))
    switch part {
    case .json: try decode([data, Self.good[0], data], by: 0, &signature)
    case .avro: try decode([data, Self.good[1], data], by: 1, &signature)
    case .confluent: try decode([[0, 0, 0, 0, 1] + data, data, [0, 0, 0, 0, 1] + data], by: 2, &signature)
    case .schema: try readSchema(data, &signature)
    case .pattern: readPattern(data, &signature)
    }
    return signature
  }

  private func decode(_ payloads: [[UInt8]], by decoder: Int, _ signature: inout Signature) throws(Violation) {
    let decoder = decoders[decoder]
    for payload in payloads { unsafe decoder.append(payload.span.bytes) }
    batch = decoder.makeBatch()
    do throws(HeadraceError) {
      try decoder.decode(into: &batch, faults: &faults)
    } catch {
      throw Violation("decoding failed: \(error)")
    }
    guard batch.rowCount == payloads.count, batch.columns.allSatisfy({ $0.count == payloads.count }) else {
      throw Violation("\(payloads.count) records gave \(batch.rowCount) rows")
    }
    for fault in faults {
      guard batch.columns.allSatisfy({ !$0.isValid[fault.row] }) else { throw Violation("a faulty row has values") }
      let value = payloads[fault.row]
      guard unsafe !fault.reason(in: contract, value: value.span.bytes).isEmpty else { throw Violation("no reason") }
      signature.add(fault.code.rawValue)
      signature.add(fault.path ?? "")
    }
    guard faults.first(where: { $0.row == 0 })?.code == faults.first(where: { $0.row == 2 })?.code else {
      throw Violation("the same record fared differently the second time: \(faults)")
    }
    for column in batch.columns {
      guard column.value(0) == column.value(2) || isNaN(column.value(0)) else {
        throw Violation("the same record gave two values")
      }
      signature.add(column.isValid[0] ? 1 : 0)
    }
  }

  private func isNaN(_ value: Value) -> Bool {
    if case .double(let number) = value { number.isNaN } else { false }
  }

  private func readSchema(_ data: [UInt8], _ signature: inout Signature) throws(Violation) {
    do throws(HeadraceError) {
      let schema = try AvroSchema(json: data, place: "x")
      signature.add(schema.types.count)
      signature.add(Compatibility.full.check(old: writer, new: schema).count)
      let again = try AvroSchema(json: Array(schema.parsingCanonicalForm.utf8), place: "x")
      guard again.fingerprint == schema.fingerprint else {
        throw HeadraceError(.internal, "AGAIN", "another fingerprint")
      }
      let contract = try Contract(subject: "x", json: data, file: "x")
      signature.add(contract.fields.count)
    } catch {
      guard error.code == "SCHEMA_INVALID" || error.code == "CONTRACT_INVALID" else { throw Violation("\(error)") }
      signature.add(error.message.filter { !$0.isNumber && $0.isASCII })
    }
  }

  /// The pattern up to a zero byte, then a text.
  private func readPattern(_ data: [UInt8], _ signature: inout Signature) {
    let parts = data.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    do throws(Pattern.Failure) {
      let pattern = try Pattern(String(decoding: parts[0].prefix(64), as: UTF8.self))
      let text = parts.count > 1 ? Array(parts[1]) : []
      let isMatch = pattern.matches(text.span)
      signature.add(isMatch ? 1 : 0)
    } catch {
      signature.add(error.message.filter { !$0.isNumber })
    }
  }
}

/// One writer's schema under one id.
private struct Writer: WriterSchemas {
  let schema: AvroSchema

  func schema(id: Int32) -> WriterSchemaLookup {
    switch id {
    case 1: .found(schema)
    case 2: .unavailable
    default: .unknown
    }
  }
}

// MARK: Seeds

extension ContractsTarget {
  private static let contractText = #"""
    {"type":"record","name":"event","fields":[
      {"name":"id","type":"string","constraints":{"required":true,"pattern":"[a-z]+[0-9]*","max_length":12}},
      {"name":"n","type":"int","default":3,"constraints":{"min":-5}},
      {"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
      {"name":"x","type":["null","double"],"default":null},
      {"name":"f","type":["float","null"]},
      {"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}]},
      {"name":"e","type":{"type":"enum","name":"e","symbols":["A","B"],"default":"A"},"default":"B"},
      {"name":"in","type":["null",{"type":"record","name":"i","fields":[
        {"name":"os","type":"string"},{"name":"flag","type":"boolean","default":true}]}],"default":null},
      {"name":"tags","type":{"type":"array","items":["null","long","string"]},"default":[]},
      {"name":"m","type":["null",{"type":"map","values":{"type":"array","items":"double"}}]},
      {"name":"tree","type":["null",{"type":"record","name":"t","fields":[{"name":"l","type":["null","t"]}]}]}]}
    """#

  private static let writerText = #"""
    {"type":"record","name":"event","fields":[
      {"name":"gone","type":{"type":"map","values":["null","string"]}},{"name":"id","type":"bytes"},
      {"name":"x","type":["null","int","string"]},{"name":"ts","type":"int"},
      {"name":"e","type":{"type":"enum","name":"e","symbols":["B","C"]}},
      {"name":"in","type":["null",{"type":"record","name":"i","fields":[
        {"name":"z","type":{"type":"fixed","name":"z","size":2}},{"name":"os","type":"string"}]}]},
      {"name":"tags","type":{"type":"array","items":["int","string"]}}]}
    """#

  /// A record of each format that breaks nothing.
  private static let good: [[UInt8]] = [
    Array(
      (#"{"id":"ab1","n":1.0,"ts":1357035420000,"x":-2.5e3,"f":1,"price":"12.30","e":"B","#
        + #""in":{"os":"l\u00e9\n"},"tags":[1,"a",null],"m":{"k":[1,2.5]},"tree":{"l":{"l":null}}}"#).utf8),
    [6, 0x61, 0x62, 0x31, 2, 14] + [2, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f] + [0, 0, 0, 0, 0x3f] + [2, 4, 4, 0xd2, 0]
      + [2, 2, 0x6c, 1] + [4, 0, 2, 6, 0] + [2, 2, 2, 0x6b, 0, 0] + [2, 2, 0],
  ]

  func seeds() -> [Seed] {
    [
      Seed(name: "json", bytes: [0] + Self.good[0]),
      Seed(name: "json-small", bytes: [0] + Array(#"{"id":"a","ts":1}"#.utf8)),
      Seed(name: "avro", bytes: [1] + Self.good[1]),
      Seed(
        name: "confluent",
        bytes: [2, 2, 2, 0x6b, 2, 2, 0x76, 0, 2, 0x61, 2, 14, 2, 2, 2, 9, 9, 2, 0x6c, 4, 0, 2, 2, 2, 0x61, 0]),
      Seed(name: "schema", bytes: [3] + Array(Self.contractText.utf8)),
      Seed(name: "pattern", bytes: [4] + Array("^(?:[a-c]+|\\d{2,3}|é)*x?$".utf8) + [0] + Array("abc12é".utf8)),
    ]
  }
}
