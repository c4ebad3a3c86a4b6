import Contracts
import Core
import Testing

@Suite struct FieldPathTests {
  @Test(arguments: [
    ("carrier", ["carrier"]), ("plane.seats", ["plane", "seats"]), (#"a\.b.c"#, ["a.b", "c"]), (#"a\\"#, [#"a\"#]),
  ])
  func readsAndPrints(text: String, names: [String]) throws {
    let path = try FieldPath(text)
    #expect(path.names == names)
    #expect(path.description == text)
  }

  @Test(arguments: ["", ".", "a.", ".a", "a..b", #"a\"#])
  func refuses(text: String) {
    let error = #expect(throws: HeadraceError.self) { try FieldPath(text) }
    #expect(error?.code == "FIELD_PATH_INVALID")
  }
}
