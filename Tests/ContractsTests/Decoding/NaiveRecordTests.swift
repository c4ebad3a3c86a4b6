import Columns
import Contracts
import Core
import Testing

/// Documents of few names and every kind of value, whole and damaged: accepted or refused as the oracle says.
@Suite struct NaiveRecordTests {
  static let type = RandomType.record(
    name: "r",
    fields: [
      ("a", .nullable(.long)), ("b", .int), ("c", .nullable(.double)), ("s", .nullable(.string)),
      ("in", .nullable(.record(name: "i", fields: [("a", .boolean), ("b", .nullable(.string))]))),
    ])

  @Test(arguments: 1...12 as ClosedRange<UInt64>) func `agrees with the oracle`(seed: UInt64) throws {
    let contract = try Contract(subject: "naive", json: Array(Self.type.json.utf8), file: "naive.avsc")
    var random = SplitMix64(seed: seed)
    var documents: [[UInt8]] = []
    for _ in 0..<400 {
      var document = Array(Self.object(["a", "b", "c", "s", "in", "z", "\\u0061"], depth: 0, &random).utf8)
      if random.chance(3) { document.remove(at: random.below(document.count)) }
      if random.chance(4) {
        document[random.below(document.count)] = random.pick(Array("{}[]:,\"\\ 0-.e\n".utf8) + [0xff, 0])
      }
      documents.append(document)
    }
    let decoded = try decode(documents, contract)
    for (row, document) in documents.enumerated() {
      let expected = NaiveRecord.columns(Self.type, document)
      let found = decoded.fault(row) == nil ? decoded.rows[row] : nil
      let text = String(decoding: document, as: UTF8.self)
      #expect(found == expected, "seed \(seed): \(text), \(decoded.fault(row)?.code.rawValue ?? "")")
    }
  }

  private static func object(_ names: [String], depth: Int, _ random: inout SplitMix64) -> String {
    let members = (0..<(3 + random.below(6))).map { _ in
      "\"\(random.pick(names))\"\(random.chance(8) ? " " : ""):\(value(depth: depth, &random))"
    }
    // The one field that has to be there.
    return "{"
      + ([depth == 0 ? "\"b\":\(random.below(9))" : "\"a\":true"] + members).joined(
        separator: random.chance(6) ? " ,\n" : ",") + "}"
  }

  private static func value(depth: Int, _ random: inout SplitMix64) -> String {
    switch random.below(depth > 1 ? 8 : 10) {
    case 0: return "null"
    case 1: return random.pick(["true", "false"])
    case 2: return "\(Int64(bitPattern: random.next()) >> Int64(random.below(64)))"
    case 3:
      return random.pick([
        "1.0", "1e2", "-12.50e1", "9223372036854775807", "9223372036854775808", "0.5", "1e-2", "100e-2", "1e400", "-0",
      ])
    case 4: return "\(Double(bitPattern: random.next() & ~(1 << 62)))"
    case 5, 6: return random.pick(["\"\"", "\"x\"", "\"\\n\\u00e9\"", "\"日本\"", "\"\\ud83d\\ude00\""])
    case 7: return "[1,{\"b\":2}]"
    default: return object(["a", "b", "z"], depth: depth + 1, &random)
    }
  }
}
