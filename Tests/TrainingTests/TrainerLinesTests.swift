import Core
import TestSupport
import Testing

@testable import Training

@Suite struct TrainerLinesTests {
  private func lines(_ pieces: [[UInt8]], isProtocol: Bool = true) -> TrainerLines {
    var lines = TrainerLines(isProtocol: isProtocol)
    for piece in pieces { lines.append(piece[...]) { _ in } }
    lines.finish { _ in }
    return lines
  }

  @Test func `where the bytes are cut does not matter`() {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    let words = [
      #"{"type":"metric","name":"auc","value":0.5}"#, #"{"type":"metric","name":"auc","value":0.7}"#, "plain", "", "\r",
      #"{"type":"metric","name":"x","value":NaN}"#, #"{"type":"artefact","path":"m.txt"}"#, "{", "\u{1b}[31mred\r",
      #"{"type":"log","message":"said"}"#, String(repeating: "long ", count: 400),
    ]
    for _ in 0..<60 {
      let text = (0..<30).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }.joined(separator: "\n")
      let bytes = Array(text.utf8)
      var pieces: [[UInt8]] = []
      var start = 0
      while start < bytes.count {
        let end = min(bytes.count, start + Int.random(in: 1...200, using: &random))
        pieces.append(Array(bytes[start..<end]))
        start = end
      }
      let (whole, cut) = (lines([bytes]), lines(pieces))
      #expect(whole.claims == cut.claims && whole.log == cut.log && whole.artefact == cut.artefact, "seed \(seed)")
      #expect(!whole.log.joined().contains("\u{1b}"))
    }
  }

  @Test func `the last value of a metric counts, and what is no message is log`() {
    let found = lines([
      Array(#"{"type":"metric","name":"a","value":1}"#.utf8), [10],
      Array(#"{"type":"metric","name":"a","value":2}"#.utf8),
    ])
    #expect(found.claims == [.init(name: "a", value: 2)] && found.log.isEmpty)
    #expect(lines([Array(#"{"type":"metric","name":"a","value":"2"}"#.utf8)]).log.count == 1)
    #expect(lines([Array(#"{"type":"metric","name":"a","value":2}"#.utf8)], isProtocol: false).claims.isEmpty)
  }

  @Test func `the first and the last lines are kept`() {
    let bytes = (0..<5_000).flatMap { Array("line \($0)\n".utf8) }
    let log = lines([bytes]).log
    #expect(log.first == "line 0" && log.last == "line 4999")
    #expect(log.count == TrainerLines.firstLinesMax + TrainerLines.lastLinesMax + 1)
    #expect(log[TrainerLines.firstLinesMax] == "(4800 lines are left out)")
  }

  @Test func `a line without an end is cut`() {
    let log = lines([[UInt8]](repeating: [UInt8](repeating: 65, count: 1 << 16), count: 20)).log
    #expect(log.count == 1 && log[0].count == 1_000)
  }
}
