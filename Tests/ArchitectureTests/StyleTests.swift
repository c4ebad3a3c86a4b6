import Testing

@Suite struct StyleTests {
  @Test func everyFileKeepsTheRules() throws {
    let files = try Repository.files()
    Finding.report(StyleRule.all.flatMap { rule in files.flatMap(rule.check) })
  }

  /// A check that finds nothing is worth nothing until it has found something.
  @Test(arguments: StyleRule.all)
  func catchesAPlantedOffence(rule: StyleRule) {
    #expect(rule.check(rule.planted()).count == 1, "\(rule.check(rule.planted()))")
    #expect(rule.check(rule.fine()).isEmpty, "\(rule.check(rule.fine()))")
  }

  @Test func seesTheRepository() throws {
    let paths = try Repository.files().map(\.path)
    #expect(paths.contains("Package.swift") && paths.contains("Sources/Core/HeadraceError.swift"))
    #expect(!paths.contains { $0.hasPrefix(".build/") })
  }
}

@Suite struct SwiftCodeTests {
  @Test(arguments: [
    ("let a = \"try! \\(b(\"{\") + try!) }\" // try!", "let a = (b( ) + try!) "),
    ("a /* { /* } */ } */ b", "a b"), ("#\"a\\(b)\"# c", " c"), ("#\"\\#(b)\"#", " (b) "), ("\"\\\"{\" }", " }"),
    ("\"\"\"\n \"{\"\n \"\"\" }", " \n \n }"),
  ])
  func keepsCodeOnly(text: String, expected: String) {
    let lines = SwiftCode(text).lines.joined(separator: "\n")
    #expect(lines.replacing(#/ +/#, with: " ") == expected)
  }

  @Test func findsFunctions() {
    let text = """
      protocol P { func a(); var b: Int { get } }
      struct S {
        init(x: Int) { self.x = x }
        var c: Int { 1 }
        func d(
          e: () -> Void = { }
        ) {
          func f() {
          }
        }
        deinit {
        }
      }
      """
    let extents = FunctionExtent.all(in: SwiftCode(text).lines)
    #expect(Set(extents.map { [$0.firstLine, $0.lastLine] }) == [[3, 3], [5, 10], [8, 9], [11, 12]])
  }
}
