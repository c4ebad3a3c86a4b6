/// A text file with its name, cut into lines, so that a message can show the place that it is about.
package struct SourceText: Sendable {
  /// Lines longer than this are shown in part.
  private static let excerptColumnsMax = 160

  package let file: String
  package let text: String
  private let lines: [Substring]

  package init(file: String, text: String) {
    self.file = file
    self.text = text
    lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
  }

  /// The scalars of a line, from 1; empty behind the end.
  func scalars(line: Int) -> [Unicode.Scalar] {
    line >= 1 && line <= lines.count ? Array(lines[line - 1].unicodeScalars) : []
  }

  var lineCount: Int { lines.count }

  /// A line and what to print below it; tabs become spaces, so that both line up.
  func excerpt(line: Int, column: Int, length: Int) -> (line: String, caret: String)? {
    guard line >= 1, line <= lines.count else { return nil }
    let scalars = scalars(line: line).map { scalar -> Unicode.Scalar in scalar.value < 0x20 ? " " : scalar }
    let place = min(max(column - 1, 0), scalars.count)
    let start = max(0, place - Self.excerptColumnsMax * 3 / 4)
    let shown = scalars[start..<min(scalars.count, start + Self.excerptColumnsMax)]
    var text = String.UnicodeScalarView()
    text.append(contentsOf: shown)
    let carets = max(1, min(length, shown.endIndex - place))
    return (
      String(text), String(repeating: " ", count: place - start) + String(repeating: "^", count: carets)
    )
  }
}
