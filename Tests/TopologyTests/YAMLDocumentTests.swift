import Core
import Testing

@testable import Topology

struct YAMLDocumentTests {
  @Test func `scalars keep what they are`() throws {
    let text = """
      a: 1.5
      b: "1.5"
      c: [true, null, 2025-01-01, x]
      d: {e: -3}
      """
    let json = String(decoding: try YAMLDocument.json(text, file: "f.yaml"), as: UTF8.self)
    #expect(json == #"{"a":1.5,"b":"1.5","c":[true,null,"2025-01-01","x"],"d":{"e":-3}}"#)
  }

  @Test func `what is wrong has its place`() {
    let error = #expect(throws: HeadraceError.self) { try YAMLDocument.json("a: [1\nb: 2\n", file: "f.yaml") }
    #expect(error?.code == "YAML_INVALID")
    #expect(error?.place?.hasPrefix("f.yaml:") == true)
  }
}
