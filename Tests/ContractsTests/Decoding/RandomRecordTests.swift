import Columns
import Contracts
import Core
import Testing

/// Random schemas, random values: both formats must give the columns that the oracle names.
@Suite struct RandomRecordTests {
  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `JSON and Avro give the same columns`(seed: UInt64) throws {
    var schemas = RandomSchemas(seed: seed)
    let type = schemas.record()
    let contract = try Contract(subject: "random", json: Array(type.json.utf8), file: "random.avsc")
    let values = (0..<20).map { _ in schemas.value(type) }
    let expected = values.map { $0.columns(type) }
    let json = try decode(values.map { Array($0.json(type, loose: $0.isLoose).utf8) }, contract)
    #expect(json.faults.isEmpty, "seed \(seed): \(json.faults)")
    #expect(json.rows == expected, "seed \(seed): \(type.json)")
    let avro = try decode(values.map { $0.avro(type, &schemas.random) }, contract, .avro)
    #expect(avro.faults.isEmpty, "seed \(seed): \(avro.faults)")
    #expect(avro.rows == expected, "seed \(seed): \(type.json)")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `any choice of columns gives what all columns give`(seed: UInt64) throws {
    var schemas = RandomSchemas(seed: seed)
    let type = schemas.record()
    let contract = try Contract(subject: "random", json: Array(type.json.utf8), file: "random.avsc")
    let value = schemas.value(type)
    let expected = value.columns(type)
    for _ in 0..<8 {
      let columns = contract.fields.indices.shuffled(using: &schemas.random).prefix(1 + schemas.random.below(4))
      for (format, bytes) in [
        (PayloadFormat.json, Array(value.json(type).utf8)), (.avro, value.avro(type, &schemas.random)),
      ] {
        let decoded = try decode([bytes], contract, format, columns: Array(columns))
        #expect(decoded.rows == [columns.map { expected[$0] }], "seed \(seed), \(format)")
      }
    }
  }

  /// Bytes from outside: every prefix of a record, and records that were damaged.
  @Test(arguments: 1...25 as ClosedRange<UInt64>)
  func `damaged records are faults or values, never a trap`(seed: UInt64) throws {
    var schemas = RandomSchemas(seed: seed)
    let type = schemas.record()
    let contract = try Contract(subject: "random", json: Array(type.json.utf8), file: "random.avsc")
    let value = schemas.value(type)
    for (format, bytes) in [
      (PayloadFormat.json, Array(value.json(type, loose: true).utf8)), (.avro, value.avro(type, &schemas.random)),
    ] {
      let prefixes = bytes.indices.map { Array(bytes[..<$0]) }
      let cut = try decode(prefixes, contract, format)
      #expect(cut.faults.count == prefixes.count, "seed \(seed), \(format): a prefix was accepted")
      let damaged = (0..<200).map { _ in Self.damage(bytes, &schemas.random) }
      let decoded = try decode(damaged, contract, format)
      #expect(decoded.rows.count == damaged.count)
      for fault in decoded.faults {
        #expect(decoded.rows[fault.row].allSatisfy { $0 == .null })
        let value = damaged[fault.row]
        _ = unsafe fault.reason(in: contract, value: value.span.bytes)
      }
      // Alone, each must be what it was among the others.
      for row in stride(from: 0, to: damaged.count, by: 17) {
        let alone = try decode([damaged[row]], contract, format)
        #expect(alone.rows[0] == decoded.rows[row] && alone.faults.first?.code == decoded.fault(row)?.code)
      }
    }
  }

  private static func damage(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.below(3) where !bytes.isEmpty {
      let at = random.below(bytes.count)
      switch random.below(4) {
      case 0: bytes[at] ^= 1 << UInt8(random.below(8))
      case 1: bytes[at] = random.pick([0, 0x7f, 0x80, 0xff, 0x22, 0x5c, 0x7b, 0x2c])
      case 2: bytes.insert(UInt8(random.below(256)), at: at)
      default: bytes.remove(at: at)
      }
    }
    return bytes
  }
}

extension RandomValue {
  /// Some of the documents are written with white space and in another order.
  fileprivate var isLoose: Bool { json(.null).utf8.count % 2 == 0 }
}
