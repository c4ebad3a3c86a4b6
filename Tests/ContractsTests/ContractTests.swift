import Columns
import Contracts
import Core
import Testing

@Suite struct ContractTests {
  @Test func `records become columns with dotted paths`() throws {
    let contract = try contract(
      #"""
      {"name":"id","type":"string","constraints":{"required":true}},
      {"name":"device","type":["null",{"type":"record","name":"d","fields":[
        {"name":"os","type":"string"},{"name":"screen","type":{"type":"record","name":"s","fields":[
          {"name":"w","type":"int"}]}}]}],"default":null},
      {"name":"tags","type":{"type":"array","items":"string"},"default":["a"]},
      {"name":"tree","type":["null",{"type":"record","name":"t","fields":[
        {"name":"left","type":["null","t"]},{"name":"v","type":"int"}]}]},
      {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2},"default":"\u0001\u0000"}
      """#)
    #expect(
      contract.fields.map(\.path)
        == ["id", "device.os", "device.screen.w", "tags", "tree.left", "tree.v", "price"])
    #expect(
      contract.fields.map(\.type)
        == [.string, .string, .integer, .string, .string, .integer, .decimal(scale: 2)])
    #expect(contract.fields.map(\.isNullable) == [false, true, true, false, true, true, false])
    #expect(contract.fields[3].defaultValue == .string(#"["a"]"#))
    #expect(contract.fields[6].defaultValue == .decimal(unscaled: 256, scale: 2))
    #expect(contract.index(of: "device.os") == 1)
    #expect(contract.index(of: "device") == nil)
    #expect(contract.nearestPath(to: "device.screen.x") == "device.screen.w")
  }

  @Test(arguments: [
    (#""type":"int","constraints":{"mn":1}"#, "did you mean \"min\"?"),
    (#""type":"string","constraints":{"min":1}"#, "for numbers"),
    (#""type":"int","constraints":{"min":"1"}"#, "a number"),
    (#""type":"int","constraints":{"pattern":"a"}"#, "for strings"),
    (#""type":"string","constraints":{"pattern":"(a"}"#, "at byte 0"),
    (#""type":"string","constraints":{"enum":[]}"#, "an array of values"),
    (#""type":"string","constraints":{"enum":[1]}"#, "a string"),
    (#""type":"int","constraints":{"allow_nan":true}"#, "double and float"),
    (#""type":"string","constraints":{"max_length":-1}"#, "a length"),
    (#""type":"string","constraints":[]"#, "an object"),
    (#""type":{"type":"record","name":"r","fields":[]},"constraints":{}"#, "no constraints on a record"),
    (#""type":{"type":"bytes","logicalType":"decimal","precision":39}"#, "at most 38"),
    (#""type":"int","constraints":{"required":1}"#, "true or false"),
  ])
  func `constraints that cannot be meant are refused`(field: String, part: String) {
    let error = #expect(throws: HeadraceError.self) { try contract(#"{"name":"x",\#(field)}"#) }
    #expect(error?.code == "CONTRACT_INVALID")
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    #expect(error?.place?.hasPrefix("test.avsc:1:") == true)
  }

  struct Case: CustomTestStringConvertible, Sendable {
    var type: String
    var constraints: String
    var valid: [String]
    var invalid: [String]
    var code: FaultCode

    var testDescription: String { "\(type) with \(constraints)" }

    init(_ type: String, _ constraints: String, _ valid: [String], _ invalid: [String], _ code: FaultCode) {
      (self.type, self.constraints, self.valid, self.invalid, self.code) = (type, constraints, valid, invalid, code)
    }
  }

  static let cases: [Case] = [
    Case("\"int\"", #"{"min":0}"#, ["0", "5"], ["-1"], .belowMinimum),
    Case("\"int\"", #"{"max":0.5}"#, ["0"], ["1"], .aboveMaximum),
    Case("\"double\"", #"{"min":-1.5,"max":1e3}"#, ["-1.5", "1000"], ["1000.1"], .aboveMaximum),
    Case("\"double\"", #"{"min":0}"#, ["0", "-0.0"], ["-1e-300"], .belowMinimum),
    Case(#"{"type":"long","logicalType":"timestamp-millis"}"#, #"{"min":1000}"#, ["1000"], ["999"], .belowMinimum),
    Case(
      #"{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}"#, #"{"max":1.5}"#, ["1.5", "-3"], ["1.51"],
      .aboveMaximum),
    Case("\"string\"", #"{"enum":["b","a","é"]}"#, [#""a""#, #""\u00e9""#], [#""c""#, #""""#, #""ab""#], .notAllowed),
    Case("\"long\"", #"{"enum":[3,1]}"#, ["1", "3"], ["2"], .notAllowed),
    Case("\"string\"", #"{"pattern":"[A-Z]{3}"}"#, [#""JFK""#], [#""jfk""#, #""JFKX""#], .patternMismatch),
    Case("\"string\"", #"{"max_length":2}"#, [#""日本""#], [#""abc""#], .tooLong),
    Case("\"bytes\"", #"{"max_length":2}"#, [#""ÿÿ""#], [#""abc""#], .tooLong),
    Case(#"["null","string"]"#, #"{"required":true}"#, [#""a""#], ["null"], .nullValue),
  ]

  /// Also of fields that nobody reads.
  @Test(arguments: cases) func `constraints are checked`(_ test: Case) throws {
    let contract = try contract(
      #"{"name":"x","type":\#(test.type),"constraints":\#(test.constraints)},{"name":"y","type":"int","default":1}"#)
    for columns in [[0, 1], [1]] {
      for (values, code) in [(test.valid, nil), (test.invalid, test.code)] {
        let decoded = try decode(values.map { Array(#"{"x":\#($0)}"#.utf8) }, contract, columns: columns)
        #expect(decoded.faults.map(\.code) == values.compactMap { _ in code }, "\(values): \(decoded.faults)")
        #expect(decoded.faults.allSatisfy { $0.path == "x" })
      }
    }
  }

  @Test func `required fields have no default`() throws {
    let contract = try contract(#"{"name":"x","type":"int","default":1,"constraints":{"required":true}}"#)
    #expect(try decode([Array("{}".utf8)], contract).faults.map(\.code) == [.missingField])
  }

  @Test func `the fingerprint changes with whatever decides`() throws {
    let variants = [
      #""type":"int""#, #""type":"int","default":1"#, #""type":"long""#, #""type":"int","constraints":{"min":1}"#,
      #""type":"int","constraints":{"min":2}"#, #""type":["null","int"]"#,
      #""type":{"type":"int","logicalType":"date"}"#, #""type":"int","constraints":{"enum":[1]}"#,
    ]
    let fingerprints = try variants.map { try contract(#"{"name":"x",\#($0)}"#).fingerprint }
    #expect(Set(fingerprints).count == variants.count)
    #expect(try contract(#"{"doc":"?","name":"x","type":"int"}"#).fingerprint == fingerprints[0])
  }
}
