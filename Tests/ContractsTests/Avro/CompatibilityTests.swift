import Contracts
import Core
import Testing

@Suite struct CompatibilityTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var old: String
    var new: String
    /// What BACKWARD and what FORWARD find, as path and a part of the message.
    var backward: String?
    var forward: String?

    var testDescription: String { "\(old) to \(new)" }

    init(_ old: String, _ new: String, backward: String? = nil, forward: String? = nil) {
      (self.old, self.new, self.backward, self.forward) = (old, new, backward, forward)
    }
  }

  static func record(_ fields: String, name: String = "r") -> String {
    #"{"type":"record","name":"\#(name)","fields":[\#(fields)]}"#
  }

  static let x = #"{"name":"x","type":"int"}"#
  static let cases: [Case] = [
    Case(record(x), record(x)),
    Case(record(x), record(x + #",{"name":"y","type":"int"}"#), backward: "y: the writer has no such field"),
    Case(record(x), record(x + #",{"name":"y","type":"int","default":0}"#)),
    Case(record(x), record(""), forward: "x: the writer has no such field"),
    Case(record(x), record(#"{"name":"x","type":"long"}"#), forward: "x: the writer's long cannot be read as int"),
    Case(
      record(x), record(#"{"name":"x","type":"string"}"#), backward: "int cannot be read as string",
      forward: "string cannot be"),
    Case(
      record(x), record(#"{"name":"x","type":["null","int"]}"#), forward: "x: the writer's null cannot be read as int"),
    Case(record(x), record(#"{"name":"z","aliases":["x"],"type":"int"}"#), forward: "x: the writer has no such field"),
    Case(record(x), record(x, name: "s"), backward: "the writer calls it r", forward: "the writer calls it s"),
    Case(record(x), record(x, name: "other.r")),
    Case(
      #"{"type":"enum","name":"e","symbols":["A"]}"#, #"{"type":"enum","name":"e","symbols":["A","B"]}"#,
      forward: "enum has no B"),
    Case(
      #"{"type":"enum","name":"e","symbols":["A"],"default":"A"}"#, #"{"type":"enum","name":"e","symbols":["A","B"]}"#),
    Case(
      #"{"type":"fixed","name":"f","size":1}"#, #"{"type":"fixed","name":"f","size":2}"#, backward: "1 bytes",
      forward: "2 bytes"),
    Case(#"{"type":"array","items":"int"}"#, #"{"type":"array","items":"long"}"#, forward: "[]: the writer's long"),
    Case(#"{"type":"map","values":"int"}"#, #"{"type":"map","values":"string"}"#, backward: "{}: ", forward: "{}: "),
    Case(
      #"["null","int"]"#, #"["null","string"]"#, backward: "no branch for the writer's int",
      forward: "no branch for the writer's string"),
    Case(
      #"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#,
      #"{"type":"bytes","logicalType":"decimal","precision":4,"scale":3}"#, backward: "decimal has 2",
      forward: "decimal has 3"),
    Case(
      record(#"{"name":"n","type":["null","r"]},{"name":"v","type":"int"}"#),
      record(#"{"name":"n","type":["null","r"]},{"name":"v","type":"long"}"#), forward: "v: the writer's long"),
  ]

  @Test(arguments: cases) func `versions go together or not, and it says why`(_ test: Case) throws {
    let (old, new) = (try AvroSchemaTests.schema(test.old), try AvroSchemaTests.schema(test.new))
    let backward = Compatibility.backward.check(old: old, new: new)
    let forward = Compatibility.forward.check(old: old, new: new)
    for (found, expected) in [(backward, test.backward), (forward, test.forward)] {
      #expect(found.isEmpty == (expected == nil), "\(found)")
      if let expected { #expect(found.first?.description.contains(expected) == true, "\(found)") }
    }
    #expect(Compatibility.full.check(old: old, new: new) == backward + forward)
  }
}
