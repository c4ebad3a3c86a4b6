import Contracts
import Core
import Testing

@Suite struct AvroSchemaTests {
  static func schema(_ json: String) throws -> AvroSchema { try AvroSchema(json: Array(json.utf8), place: "x.avsc") }

  /// Fingerprints that the implementations of Avro agree on.
  @Test(
    arguments: [
      ("\"null\"", 0x63dd_24e7_cc25_8f8a), ("\"boolean\"", 0x9f42_fc78_a4d4_f764), ("\"int\"", 0x7275_d51a_3f39_5c8f),
      ("\"long\"", 0xd054_e144_93f4_1db7), ("\"float\"", 0x4d7c_02cb_3ea8_d790), ("\"double\"", 0x8e75_35c0_32ab_957e),
      ("\"bytes\"", 0x4fc0_16da_c320_1965), ("\"string\"", 0x8f01_4872_6345_03c7),
    ] as [(String, UInt64)])
  func `fingerprints are CRC-64-AVRO`(json: String, fingerprint: UInt64) throws {
    #expect(try Self.schema(json).fingerprint == fingerprint)
    #expect(try Self.schema(#"{"type":\#(json),"doc":"x"}"#).fingerprint == fingerprint)
  }

  @Test func `the canonical form keeps what decides about bytes`() throws {
    let schema = try Self.schema(
      #"""
      {"namespace": "a.b", "name": "r", "type": "record", "doc": "d", "aliases": ["old"], "fields": [
        {"type": {"type": "enum", "name": "e", "symbols": ["A", "B"], "default": "A"}, "name": "x", "default": "A"},
        {"name": "y", "type": ["null", {"type": "fixed", "size": 4, "name": "c.f"}], "order": "ignore"},
        {"name": "z", "type": {"type": "map", "values": {"type": "array", "items": "e"}}},
        {"name": "w", "type": ["null", "r"], "default": null}]}
      """#)
    #expect(
      schema.parsingCanonicalForm
        == #"{"name":"a.b.r","type":"record","fields":[{"name":"x","type":{"name":"a.b.e","type":"enum","#
        + #""symbols":["A","B"]}},{"name":"y","type":["null",{"name":"c.f","type":"fixed","size":4}]},"#
        + #"{"name":"z","type":{"type":"map","values":{"type":"array","items":"a.b.e"}}},"#
        + #"{"name":"w","type":["null","a.b.r"]}]}"#)
    #expect(try Self.schema(schema.parsingCanonicalForm).fingerprint == schema.fingerprint)
  }

  @Test(arguments: [
    ("{\n \"type\": \"strin\"}", "x.avsc:2:10", "string"), ("[\"int\",\n\"int\"]", "x.avsc:2:1", "already"),
    (#"{"type":"record","name":"r"}"#, "x.avsc:1:1", "\"fields\""), (#"{"name":"x"}"#, "x.avsc:1:1", "\"type\""),
    (#"{"type":"record","name":"1r","fields":[]}"#, "x.avsc:1:25", "a name"),
    (
      #"{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#, "x.avsc:1:65",
      "already"
    ),
    (
      #"{"type":"record","name":"r","fields":[{"name":"a","type":"int","default":"x"}]}"#, "x.avsc:1:74",
      "default of type int"
    ),
    (#"{"type":"fixed","name":"f","size":-1}"#, "x.avsc:1:35", "size"), ("[[\"int\"]]", "x.avsc:1:2", "no union"),
    (#"{"type":"enum","name":"e","symbols":["A","A"]}"#, "x.avsc:1:42", "symbol"), ("{", "x.avsc:1:2", "JSON"),
    ("7", "x.avsc:1:1", "a type"),
    (
      String(repeating: #"{"type":"array","items":"#, count: 70) + "\"int\"" + String(repeating: "}", count: 70),
      "x.avsc", "deep"
    ),
    (String(repeating: "[", count: 2_000), "x.avsc", "deep"),
  ])
  func `errors say where and what`(json: String, place: String, part: String) {
    let error = #expect(throws: HeadraceError.self) { try Self.schema(json) }
    #expect(error?.code == "SCHEMA_INVALID")
    #expect(error?.place?.hasPrefix(place) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }

  @Test func `a cut or damaged schema is an error or a schema`() throws {
    let text = Array(
      #"{"type":"record","name":"r","fields":[{"name":"a","type":["null",{"type":"map","values":"r"}]}]}"#
        .utf8)
    var random = SplitMix64(seed: 3)
    for end in text.indices {
      #expect(throws: HeadraceError.self) { try AvroSchema(json: Array(text[..<end]), place: "x") }
    }
    for _ in 0..<2_000 {
      var damaged = text
      for _ in 0...random.below(3) { damaged[random.below(damaged.count)] = random.pick(text + [0, 0xff]) }
      _ = (try? AvroSchema(json: damaged, place: "x")).map {
        ($0.fingerprint, Compatibility.full.check(old: $0, new: $0))
      }
    }
  }

  @Test(
    arguments: [
      (#"{"type":"long","logicalType":"date"}"#, nil), (#"{"type":"int","logicalType":"date"}"#, .date),
      (#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":5}"#, nil),
      (#"{"type":"string","logicalType":"new"}"#, nil),
      (
        #"{"type":"fixed","name":"f","size":2,"logicalType":"decimal","precision":4}"#, .decimal(precision: 4, scale: 0)
      ),
      (#"{"type":"fixed","name":"f","size":2,"logicalType":"decimal","precision":5}"#, nil),
      (#"{"type":"long","logicalType":"local-timestamp-micros"}"#, .localTimestampMicros),
      (#"{"type":"fixed","name":"f","size":16,"logicalType":"uuid"}"#, .uuid),
    ] as [(String, AvroLogicalType?)])
  func `a logical type that does not fit means the plain type`(json: String, logical: AvroLogicalType?) throws {
    let schema = try Self.schema(json)
    #expect(schema[schema.root].logical == logical)
  }
}
