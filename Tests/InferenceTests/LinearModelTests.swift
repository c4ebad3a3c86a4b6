import Core
import Testing

@testable import Inference

@Suite struct LinearModelTests {
  private func model(_ rest: String) throws -> Model {
    try Model(Array("{\"model\": \"linear\", \"weights\": [2, 10], \"intercept\": 1\(rest)}".utf8), place: "model.json")
  }

  @Test func `a missing value is what the file says, or leaves no score`() throws {
    for (rest, expected) in [("", Double.nan), (", \"missing\": [0.5, 3]", 1 + 4 + 30), (", \"missing\": null", .nan)] {
      guard let model = try? model(rest) else {
        #expect(rest.contains("null"))
        continue
      }
      let scores = ReferenceScorer(model).score([2, .nan])
      #expect(scores == [expected] || (expected.isNaN && scores[0].isNaN), "\(rest)")
      var scorer = try CompiledModel(model).makeScorer()
      var compiled = [Double](repeating: 0, count: 9)
      scorer.score((0..<9).flatMap { _ in [Float(2), .nan] }, rowCount: 9, into: &compiled)
      #expect(compiled.allSatisfy { $0 == expected || (expected.isNaN && $0.isNaN) }, "\(rest)")
    }
  }

  @Test(arguments: ["[1]", "[1, 2, 3]", "[1, 1e999]", "3", "[\"a\", 1]"])
  func `values for what is missing have to fit`(_ text: String) {
    #expect(throws: HeadraceError.self) { try model(", \"missing\": \(text)") }
  }
}
