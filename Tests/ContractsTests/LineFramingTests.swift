import Contracts
import Core
import Testing

@Suite struct LineFramingTests {
  @Test(arguments: [1, 2, 7, 1_000])
  func linesAreTheSameHoweverTheInputIsCut(pieceMax: Int) throws {
    var random = SplitMix64(seed: UInt64(pieceMax))
    let lines = (0..<200).map { _ in String(repeating: "x", count: random.below(12)) }
    for ending in ["\n", "\r\n"] {
      let input = Array(("\u{feff}" + lines.joined(separator: ending) + ending).utf8)
      let (documents, faults) = try frame(input, by: LineFraming(), random: &random, pieceMax: pieceMax)
      #expect(documents == lines.enumerated().map { FramedDocument(line: $0 + 1, text: $1) })
      #expect(faults.isEmpty)
    }
  }

  @Test func theLastLineNeedsNoLineFeed() throws {
    var random = SplitMix64(seed: 1)
    let (documents, _) = try frame(Array("1\n2".utf8), by: LineFraming(), random: &random, pieceMax: 1)
    #expect(documents.map(\.text) == ["1", "2"])
  }

  @Test func aLineWithoutEndStopsTheReading() {
    var random = SplitMix64(seed: 1)
    let input = Array("{}\n".utf8) + [UInt8](repeating: 0x78, count: 100)
    let error = #expect(throws: HeadraceError.self) {
      try frame(input, by: LineFraming(lineBytesMax: 64), random: &random, pieceMax: 10)
    }
    #expect(error?.code == "LINE_TOO_LONG")
    #expect(error?.place == "line 2")
  }
}
