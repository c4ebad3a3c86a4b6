/// A regular expression that a whole text must match, in time linear in the text: patterns of contracts run on data
/// from outside, where an engine that backtracks is a weapon.
///
/// The pattern becomes a deterministic automaton over UTF-8 bytes when it is made: matching is one table lookup a
/// byte, and allocates nothing. What would need too large an automaton is refused then.
///
/// Syntax: literals; `.` (any character but a line feed); `[a-z_]`, `[^…]`; `\d \w \s` (ASCII) and `\D \W \S`;
/// `\t \n \r \f \v`, `\xHH`, `\uHHHH`, `\u{H…}`, and a backslash before punctuation; `( )`, `(?: )`, `|`; `* + ?`,
/// `{m} {m,} {m,n}`, each with `?` behind it (lazy: the same language); `^` and `$`, which are not needed. Not part of
/// it: back references, lookaround, `\b`, named classes, flags.
package struct Pattern: Sendable {
  package let text: String
  private let automaton: PatternAutomaton

  package struct Failure: Error, Equatable, Sendable {
    package var message: String
    /// Bytes from the start of the pattern.
    package var offset: Int
  }

  static let lengthBytesMax = 4_096
  static let repetitionsMax = 1_000
  static let depthMax = 64

  package init(_ text: String) throws(Failure) {
    self.text = text
    guard text.utf8.count <= Self.lengthBytesMax else {
      throw Failure(message: "the pattern is longer than \(Self.lengthBytesMax) bytes", offset: Self.lengthBytesMax)
    }
    var parser = PatternParser(text)
    var graph = PatternGraph()
    try graph.build(try parser.pattern())
    automaton = try PatternAutomaton(graph)
  }

  /// - Parameter text: UTF-8; other bytes match nothing.
  package func matches(_ text: Span<UInt8>) -> Bool { automaton.matches(text) }

  package func matches(_ text: String) -> Bool { matches(Array(text.utf8).span) }
}
