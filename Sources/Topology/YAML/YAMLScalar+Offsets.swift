extension YAMLScalar {
  /// Where a part of the text stands in the file.
  ///
  /// Quotes, escapes and folded lines make the text of a value differ from what the file holds. The two are laid side
  /// by side, character by character; if they part (`\u0041`), the place is that of the whole value.
  ///
  /// - Parameter utf8Offset: into `text`; the end of the text is allowed.
  func position(utf8Offset: Int, in source: SourceText) -> SourcePosition {
    let wanted = text.utf8.index(text.startIndex, offsetBy: max(0, utf8Offset), limitedBy: text.utf8.endIndex)
    var cursor = SourceCursor(source: source, position: position)
    if !isPlain { cursor.enterQuotedOrBlock() }
    var place = cursor.position
    for index in text.unicodeScalars.indices {
      guard let found = cursor.find(text.unicodeScalars[index]) else { return position }
      place = found
      if let wanted, index >= wanted { return place }
    }
    place.column += text.isEmpty ? 0 : 1
    return place
  }
}

/// Walks through a file, scalar by scalar, line ends as white space.
private struct SourceCursor {
  /// How far a character of a value may lie behind the one before: an escape, an indentation.
  private static let gapMax = 400

  let source: SourceText
  private(set) var position: SourcePosition
  private var line: [Unicode.Scalar]

  init(source: SourceText, position: SourcePosition) {
    self.source = source
    self.position = position
    line = source.scalars(line: position.line)
  }

  private var current: Unicode.Scalar? {
    position.column - 1 < line.count ? line[max(0, position.column - 1)] : (isAtEnd ? nil : "\n")
  }

  private var isAtEnd: Bool { position.line >= source.lineCount && position.column - 1 >= line.count }

  private mutating func advance() {
    if position.column - 1 < line.count {
      position.column += 1
    } else {
      position = SourcePosition(line: position.line + 1, column: 1)
      line = source.scalars(line: position.line)
    }
  }

  /// Steps over the quote, or over the indicator of a block (`|`, `>-`) and its line.
  mutating func enterQuotedOrBlock() {
    guard let first = current else { return }
    if first == "\"" || first == "'" {
      advance()
    } else if first == "|" || first == ">" {
      let start = position.line
      while position.line == start, !isAtEnd { advance() }
      while current == " " { advance() }
    }
  }

  /// The place of the next such scalar; the cursor goes behind it.
  mutating func find(_ scalar: Unicode.Scalar) -> SourcePosition? {
    let isSpace = scalar == " " || scalar == "\n"
    for _ in 0..<Self.gapMax {
      guard let here = current else { return nil }
      let isHereSpace = here == " " || here == "\n" || here == "\t"
      if here == scalar || (isSpace && isHereSpace) {
        let place = position
        advance()
        // A folded line break is one space in the value and much white space in the file.
        if isSpace && here == "\n" { while current == " " || current == "\n" { advance() } }
        return place
      }
      advance()
    }
    return nil
  }
}
