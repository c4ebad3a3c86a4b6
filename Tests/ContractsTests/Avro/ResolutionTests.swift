import Columns
import Contracts
import Core
import Testing

/// What a writer wrote, read as another schema.
@Suite struct ResolutionTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var writer: String
    var bytes: [UInt8]
    var reader: String
    var value: Value?
    var code: FaultCode?

    var testDescription: String { "\(writer) as \(reader)" }

    init(_ writer: String, _ bytes: [UInt8], _ reader: String, _ value: Value) {
      (self.writer, self.bytes, self.reader, self.value) = (writer, bytes, reader, value)
    }

    init(_ writer: String, _ bytes: [UInt8], _ reader: String, _ code: FaultCode) {
      (self.writer, self.bytes, self.reader, self.code) = (writer, bytes, reader, code)
    }
  }

  static let seven: [UInt8] = [14]
  static let half: [UInt8] = [0, 0, 0, 0x3f]
  static let text: [UInt8] = [2, 0x61]
  static let enumeration = #"{"type":"enum","name":"e","symbols":["A","B"]}"#
  static let withDefault = #"{"type":"enum","name":"e","symbols":["C"],"default":"C"}"#
  static let nan: [UInt8] = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]

  static let cases: [Case] = [
    Case("\"int\"", seven, "\"long\"", .integer(7)), Case("\"int\"", seven, "\"float\"", .double(7)),
    Case("\"int\"", seven, "\"double\"", .double(7)), Case("\"long\"", seven, "\"double\"", .double(7)),
    Case("\"long\"", seven, "\"int\"", .incompatibleSchema), Case("\"float\"", half, "\"double\"", .double(0.5)),
    Case("\"double\"", [0] + half, "\"float\"", .incompatibleSchema),
    Case("\"string\"", text, "\"bytes\"", .bytes([0x61])),
    Case("\"bytes\"", text, "\"string\"", .string("a")), Case("\"bytes\"", [2, 0xff], "\"string\"", .notUTF8),
    Case("\"int\"", seven, "\"string\"", .incompatibleSchema), Case("\"boolean\"", [1], "\"boolean\"", .boolean(true)),
    Case("\"boolean\"", [2], "\"boolean\"", .notAvro), Case("\"int\"", [0x80], "\"int\"", .notAvro),
    Case("\"int\"", [0xff, 0xff, 0xff, 0xff, 0x1f], "\"int\"", .notAvro),
    Case("\"long\"", [UInt8](repeating: 0xff, count: 9) + [1], "\"long\"", .integer(.min)),
    Case("\"long\"", [UInt8](repeating: 0xff, count: 9) + [2], "\"long\"", .notAvro),
    Case("\"string\"", [1], "\"string\"", .notAvro), Case("\"string\"", [4, 0x61], "\"string\"", .notAvro),
    Case("\"int\"", seven, #"["null","int"]"#, .integer(7)), Case("\"int\"", seven, #"["null","double"]"#, .double(7)),
    Case(#"["null","int"]"#, [2] + seven, "\"long\"", .integer(7)),
    Case(#"["null","int"]"#, [0], "\"long\"", .nullValue),
    Case(#"["null","int"]"#, [0], #"["int","null"]"#, .null),
    Case(#"["null","int"]"#, [4], #"["int","null"]"#, .notAvro),
    Case(#"["string","int"]"#, [2] + seven, "\"long\"", .integer(7)),
    Case(#"["string","int"]"#, [0] + text, "\"long\"", .incompatibleSchema),
    Case(#"["string","int"]"#, [2] + seven, #"["string","long"]"#, .string("7")),
    Case(enumeration, [2], enumeration, .string("B")), Case(enumeration, [2], withDefault, .string("C")),
    Case(enumeration, [4], enumeration, .notAvro),
    Case(enumeration, [2], #"{"type":"enum","name":"e","symbols":["A"]}"#, .unknownSymbol),
    Case(
      #"{"type":"long","logicalType":"timestamp-millis"}"#, seven, #"{"type":"long","logicalType":"timestamp-micros"}"#,
      .timestamp(7_000)),
    Case("\"double\"", nan, "\"double\"", .notFinite),
    Case(
      #"{"type":"fixed","name":"f","size":2}"#, [1, 2], #"{"type":"fixed","name":"f","size":3}"#, .incompatibleSchema),
    Case(#"{"type":"array","items":"int"}"#, [3, 2, 14, 2, 2, 0], #"{"type":"array","items":"double"}"#, .notAvro),
    Case(
      #"{"type":"array","items":"int"}"#, [3, 4, 14, 2, 2, 4, 0], #"{"type":"array","items":"double"}"#,
      .string("[7.0,1.0,2.0]")),
    Case(
      #"{"type":"array","items":"null"}"#, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0],
      #"{"type":"array","items":"null"}"#, .notAvro),
    Case(
      #"{"type":"map","values":"int"}"#, [2] + text + seven + [0], #"{"type":"map","values":"long"}"#,
      .string(#"{"a":7}"#)),
  ]

  @Test(arguments: cases) func `a value is promoted or refused`(_ test: Case) throws {
    let contract = try contract(#"{"name":"x","type":\#(test.reader)},{"name":"y","type":"int","default":1}"#)
    let writer = try AvroSchemaTests.schema(
      #"{"type":"record","name":"w","fields":[{"name":"x","type":\#(test.writer)}]}"#)
    let decoded = try decode(
      [[0, 0, 0, 0, 9] + test.bytes], contract, .avroConfluent, columns: [0, 1], schemas: Schemas([9: writer]))
    #expect(decoded.faults.first?.code == test.code, "\(decoded)")
    if let value = test.value { #expect(decoded.rows == [[value, .integer(1)]]) }
  }

  /// Fields by name and alias, in the writer's order; what the reader does not know is skipped.
  @Test func `records are put together by their names`() throws {
    let contract = try contract(
      #"""
      {"name":"a","type":"long"},{"name":"b","aliases":["old_b"],"type":"string"},
      {"name":"in","type":{"type":"record","name":"i","fields":[
        {"name":"p","type":"int"},{"name":"q","type":"int","default":5}]}},
      {"name":"m","type":["null","i"],"default":null},{"name":"c","type":"int"}
      """#)
    let writer = try AvroSchemaTests.schema(
      #"""
      {"type":"record","name":"w","fields":[
        {"name":"skipped","type":{"type":"array","items":["null",{"type":"map","values":"double"}]}},
        {"name":"in","type":["null",{"type":"record","name":"j","fields":[
          {"name":"z","type":"string"},{"name":"p","type":"int"}]}]},
        {"name":"list","type":["null",{"type":"record","name":"l","fields":[{"name":"next","type":["null","l"]}]}]},
        {"name":"old_b","type":"bytes"},{"name":"a","type":"int"}]}
      """#)
    let skipped: [UInt8] = [4, 0, 2, 2] + Self.text + [UInt8](repeating: 1, count: 8) + [0, 0]
    let record = skipped + [2] + Self.text + [6] + [2, 2, 0] + Self.text + [10]
    let columns = ["a", "b", "in.p", "in.q", "m.p"].compactMap { contract.index(of: $0) }
    let framed = [0, 0, 0, 0, 1] + record
    let noInner = [0, 0, 0, 0, 1] + skipped + [0, 0] + Self.text + [10]
    let decoded = try decode(
      [framed, framed + [0], Array(framed.dropLast()), noInner], contract, .avroConfluent, columns: columns,
      schemas: Schemas([1: writer]))
    #expect(decoded.rows[0] == [.integer(5), .string("a"), .integer(3), .integer(5), .null])
    #expect(decoded.faults.map(\.code) == [.notAvro, .notAvro, .nullValue])
    let all = try decode([framed], contract, .avroConfluent, schemas: Schemas([1: writer]))
    #expect(all.fault(0)?.code == .missingField)
    #expect(all.fault(0)?.path == "c")
  }

  @Test func `a list that never ends is cut at a depth`() throws {
    let contract = try contract(#"{"name":"x","type":"int"}"#)
    let writer = try AvroSchemaTests.schema(
      #"{"type":"record","name":"w","fields":[{"name":"n","type":["null","w"]},{"name":"x","type":"int"}]}"#)
    let endless = [0, 0, 0, 0, 1] + [UInt8](repeating: 2, count: 100_000)
    let decoded = try decode([endless], contract, .avroConfluent, schemas: Schemas([1: writer]))
    #expect(decoded.faults.map(\.code) == [.tooDeep])
  }

  @Test func `frames and schema ids that mean nothing are faults`() throws {
    let contract = try contract(#"{"name":"x","type":"int"}"#)
    let decoded = try decode(
      [
        [], [0, 0, 0, 0], [1, 0, 0, 0, 1, 14], [0, 0, 0, 0, 7, 14], [0, 0, 0, 0, 8, 14],
        [0, 0xff, 0xff, 0xff, 0xff, 1], nil,
      ],
      contract, .avroConfluent, schemas: Schemas([7: nil]))
    #expect(
      decoded.faults.map(\.code)
        == [.notFramed, .notFramed, .notFramed, .schemaUnavailable, .unknownSchema, .unknownSchema, .tombstone])
    #expect(FaultCode.schemaUnavailable.isTransient)
  }
}

/// Schemas by id; nil is one that cannot be fetched now.
struct Schemas: WriterSchemas {
  let schemas: [Int32: AvroSchema?]

  init(_ schemas: [Int32: AvroSchema?]) { self.schemas = schemas }

  func schema(id: Int32) -> WriterSchemaLookup {
    guard let entry = schemas[id] else { return .unknown }
    return entry.map { .found($0) } ?? .unavailable
  }
}
