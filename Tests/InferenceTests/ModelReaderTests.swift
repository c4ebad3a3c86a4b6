import Core
import Inference
import Testing

/// What is no model is refused with a reason.
@Suite struct ModelReaderTests {
  @Test(arguments: ["", "{}", "tree\n", "[1]", "{\"learner\":{}}", "{L", "\u{8}\u{9}garbage"])
  func `a file that is no model is refused`(text: String) {
    #expect(throws: HeadraceError.self) { try Model(Array(text.utf8), place: "model") }
  }
}
