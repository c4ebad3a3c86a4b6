import Columns
import Contracts
import Core
import Testing

/// The rules of JSON values, one by one.
@Suite struct JSONRuleTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var type: String
    var json: String
    var value: Value?
    var code: FaultCode?

    var testDescription: String { "\(type) of \(json)" }

    init(_ type: String, _ json: String, _ value: Value) { (self.type, self.json, self.value) = (type, json, value) }
    init(_ type: String, _ json: String, _ code: FaultCode) { (self.type, self.json, self.code) = (type, json, code) }
  }

  static let millis = #""type":{"type":"long","logicalType":"timestamp-millis"}"#
  static let micros = #""type":{"type":"long","logicalType":"timestamp-micros"}"#
  static let money = #""type":{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}"#
  static let int = #""type":"int""#
  static let long = #""type":"long""#
  static let double = #""type":"double""#

  static let numbers: [Case] = [
    Case(int, "12", .integer(12)), Case(int, "-0", .integer(0)), Case(int, "1.0", .integer(1)),
    Case(int, "1e3", .integer(1_000)), Case(int, "1200e-2", .integer(12)), Case(int, "1.5", .notIntegral),
    Case(int, "1e-1", .notIntegral), Case(int, "2147483647", .integer(2_147_483_647)),
    Case(int, "2147483648", .outOfRange), Case(int, "-2147483649", .outOfRange), Case(int, "\"12\"", .wrongType),
    Case(int, "true", .wrongType), Case(int, "[1]", .wrongType), Case(int, "{}", .wrongType),
    Case(int, "null", .nullValue), Case(int, "1e400000000000000000000", .outOfRange),
    Case(int, "0e400000000000000000000", .integer(0)), Case(int, "1e-400000000000000000000", .notIntegral),
    Case(long, "9223372036854775807", .integer(.max)), Case(long, "-9223372036854775808", .integer(.min)),
    Case(long, "9223372036854775808", .outOfRange), Case(long, "-9223372036854775809", .outOfRange),
    Case(long, "9223372036854775807.000", .integer(.max)), Case(long, "92233720368547758070e-1", .integer(.max)),
    Case(long, "9223372036854775807.5", .notIntegral), Case(long, "99999999999999999999999", .outOfRange),
    Case(long, "1.00000000000000000000000000000001", .notIntegral),
    Case(double, "1", .double(1)), Case(double, "-0.0", .double(-0.0)), Case(double, "0.1", .double(0.1)),
    Case(double, "1e400", .outOfRange), Case(double, "-1e400", .outOfRange), Case(double, "1e-400", .double(0)),
    Case(double, "1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
    Case(double, "5e-324", .double(.leastNonzeroMagnitude)),
    Case(double, "9007199254740993", .double(9_007_199_254_740_992)),
    Case(double, "123456789012345678901234567890", .double(1.2345678901234568e29)),
    Case(double, "\"NaN\"", .notFinite), Case(double, "\"-Infinity\"", .notFinite), Case(double, "\"1\"", .wrongType),
    Case(double, "NaN", .notJSON), Case(#""type":"float""#, "0.1", .double(Double(Float(0.1)))),
    Case(#""type":"float""#, "1e39", .outOfRange),
    Case(#""type":"double","constraints":{"allow_nan":true}"#, "\"-Infinity\"", .double(-.infinity)),
  ]

  static let others: [Case] = [
    Case(#""type":"boolean""#, "true", .boolean(true)), Case(#""type":"boolean""#, "1", .wrongType),
    Case(#""type":"string""#, #""a\u00e9\n""#, .string("aé\n")), Case(#""type":"string""#, "1", .wrongType),
    Case(#""type":["null","string"]"#, "null", .null), Case(#""type":["string","null"]"#, "\"\"", .string("")),
    Case(millis, "1357035420000", .timestamp(1_357_035_420_000_000)), Case(micros, "17", .timestamp(17)),
    Case(millis, "\"2013-01-31T23:59:59.5Z\"", .timestamp(1_359_676_799_500_000)), Case(millis, "\"x\"", .notTime),
    Case(micros, "\"2013-01-31T23:59:59.123456+01:00\"", .timestamp(1_359_673_199_123_456)),
    Case(millis, "9223372036854775807", .outOfRange),
    Case(#""type":{"type":"int","logicalType":"date"}"#, "\"1970-01-31\"", .date(30)),
    Case(#""type":{"type":"int","logicalType":"date"}"#, "-1", .date(-1)),
    Case(money, "12.3", .decimal(unscaled: 1_230, scale: 2)),
    Case(money, "\"-12.30\"", .decimal(unscaled: -1_230, scale: 2)),
    Case(money, "12.345", .notRepresentable), Case(money, "12345.6", .notRepresentable),
    Case(money, "\"x\"", .wrongType),
    Case(money, "1e3", .decimal(unscaled: 100_000, scale: 2)),
    Case(#""type":"bytes""#, #""\u0000\u00ff""#, .bytes([0, 255])), Case(#""type":"bytes""#, "\"日\"", .notBytes),
    Case(#""type":{"type":"fixed","name":"f","size":2}"#, "\"abc\"", .notBytes),
    Case(#""type":{"type":"string","logicalType":"uuid"}"#, "\"x\"", .notUUID),
    Case(
      #""type":{"type":"enum","name":"e","symbols":["A","B"]}"#, "\"B\"", .string("B")),
    Case(#""type":{"type":"enum","name":"e","symbols":["A","B"]}"#, "\"C\"", .unknownSymbol),
    Case(#""type":{"type":"enum","name":"e","symbols":["A","B"],"default":"A"}"#, "\"C\"", .string("A")),
    Case(#""type":{"type":"array","items":"double"}"#, "[ 1, 2.50 ,1e20]", .string("[1.0,2.5,1e+20]")),
    Case(#""type":{"type":"array","items":"long"}"#, "[1.5]", .notIntegral),
    Case(
      #""type":{"type":"map","values":["null","long"]}"#, #"{"b":1,"a":null,"b":2}"#, .string(#"{"a":null,"b":2}"#)),
    Case(#""type":["long","string"]"#, "\"x\"", .string("\"x\"")),
    Case(#""type":["long","string"]"#, "true", .wrongType),
  ]

  @Test(arguments: numbers + others) func `a value becomes what the rules say`(_ test: Case) throws {
    let (value, code) = try decodeJSON(test.type, test.json)
    #expect(value == test.value)
    #expect(code == test.code)
    if case .double(let expected) = test.value, case .double(let found) = value {
      #expect(expected.bitPattern == found.bitPattern)
    }
  }

  @Test func `missing fields say what their defaults say`() throws {
    let inner =
      #"{"type":"record","name":"r","fields":[{"name":"a","type":"int","default":7},{"name":"b","type":"int"}]}"#
    let contract = try contract(
      #"""
      {"name":"x","type":"int","default":5}, {"name":"y","type":["null","string"]},
      {"name":"z","type":\#(inner),"default":{"b":3}}, {"name":"n","type":["null","r"]}
      """#)
    #expect(contract.fields.map(\.path) == ["x", "y", "z.a", "z.b", "n.a", "n.b"])
    let decoded = try decode(
      [
        "{}", #"{"z":{"b":1},"n":{"a":1,"b":2},"x":1}"#, #"{"n":{}}"#, #"{"z":{}}"#, #"{"z":null}"#, #"{"z":1}"#,
        #"{"n":null,"y":null}"#, "5", "[]", "",
      ].map { Array($0.utf8) }, contract)
    #expect(decoded.rows[0] == [.integer(5), .null, .integer(7), .integer(3), .null, .null])
    #expect(decoded.rows[1] == [.integer(1), .null, .integer(7), .integer(1), .integer(1), .integer(2)])
    #expect(decoded.fault(2) == RecordFault(row: 2, code: .missingField, path: "n.b", field: 5))
    #expect(decoded.fault(3)?.path == "z.b")
    #expect(decoded.fault(4)?.code == .nullValue)
    #expect(decoded.fault(5)?.code == .wrongType)
    #expect(decoded.fault(5)?.path == "z")
    #expect(decoded.rows[6] == decoded.rows[0])
    #expect(decoded.fault(7)?.code == .wrongType)
    #expect(decoded.fault(8)?.code == .wrongType)
    #expect(decoded.fault(9)?.code == .notJSON)
  }

  @Test func `the last of a name that comes twice counts`() throws {
    let (value, _) = try decodeJSON(#""type":"int""#, #"1,"x":2"#)
    #expect(value == .integer(2))
  }

  @Test func `tombstones and oversize values are faults of their own rows`() throws {
    let contract = try contract(#"{"name":"x","type":"int"}"#)
    let large = Array(#"{"x":1,"y":"\#(String(repeating: "a", count: 200))"}"#.utf8)
    let good = Array(#"{"x":1}"#.utf8)
    let decoded = try decode([nil, good, large, good, nil], contract, payloadBytesMax: 100)
    #expect(decoded.faults.map(\.code) == [.tombstone, .tooLarge, .tombstone])
    #expect(decoded.faults.map(\.row) == [0, 2, 4])
    #expect(decoded.rows == [[.null], [.integer(1)], [.null], [.integer(1)], [.null]])
  }
}
