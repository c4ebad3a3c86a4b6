import Core
import Testing

@testable import Topology

/// Whatever a file holds, it is a plan or a list of errors with places in it.
@Suite struct MutationTests {
  private static let words = [
    "*", "&a", "*a", "<<", "{", "}", "[", "]", ":", ": ", "-", "- ", "|", ">", "\"", "'", "#", "~", "null", "\n", "  ",
    "\t",
    "over", "where", "count", "mean(", "1h", "99999999999999999999d", "é", "\u{0}", "\u{E001}", "view:*", "!!int", "? ",
    "%", "---\n", "...\n", "-1", "1e999", "0x", "true",
  ]

  private func mutated(_ text: [Character], _ random: inout SplitMix64) -> String {
    var text = text
    for _ in 0...Int(random.next() % 4) {
      guard !text.isEmpty else { break }
      let at = Int(random.next() % UInt64(text.count))
      let length = min(text.count - at, Int(random.next() % 12) + 1)
      switch random.next() % 5 {
      case 0: text.removeSubrange(at..<(at + length))
      case 1: text.insert(contentsOf: Self.words[Int(random.next() % UInt64(Self.words.count))], at: at)
      case 2: text.replaceSubrange(at..<(at + length), with: Self.words[Int(random.next() % UInt64(Self.words.count))])
      case 3:
        let from = Int(random.next() % UInt64(text.count))
        text.insert(contentsOf: Array(text[from..<min(text.count, from + 60)]), at: at)
      default: text.removeSubrange(at...)
      }
    }
    return String(text)
  }

  @Test(arguments: 0..<8)
  func `A mutated topology never traps`(seed: Int) throws {
    let whole = Sample.text + ModelTests.models
    let characters = Array(whole)
    var random = SplitMix64(seed: UInt64(seed) &+ 77)
    for round in 0..<40 {
      let text = mutated(characters, &random)
      switch Sample.load(text) {
      case .success(let plan): #expect(!plan.views.isEmpty)
      case .failure(let errors):
        #expect(errors.diagnostics.contains { $0.severity == .error }, "seed \(seed) round \(round)")
        for diagnostic in errors.diagnostics {
          #expect(diagnostic.line >= 1 && diagnostic.column >= 1 && !diagnostic.message.isEmpty)
        }
        #expect(!errors.description.isEmpty)
      }
    }
  }

  @Test(arguments: 0..<4)
  func `Random bytes never trap`(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    for _ in 0..<50 {
      let text = (0..<Int(random.next() % 60)).map { _ in Self.words[Int(random.next() % UInt64(Self.words.count))] }
        .joined()
      if case .failure(let errors) = Sample.load(text) { #expect(!errors.diagnostics.isEmpty) }
    }
  }
}
