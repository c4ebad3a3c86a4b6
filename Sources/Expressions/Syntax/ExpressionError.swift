/// What is wrong with the text of an expression, and where.
package struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One sentence, without place and remedy.
  package var message: String
  /// UTF-8 offset in the text that was parsed, also when only a part of it was.
  package var offset: Int
  /// UTF-8 length of the offending part; 0 at the end of the text.
  package var length: Int
  package var found: String?
  package var expected: String?
  /// The known name that is closest to the unknown one.
  package var nearest: String?
  /// How to mend it, as an instruction.
  package var remedy: String?

  package init(
    _ message: String, at place: SourcePlace, found: String? = nil, expected: String? = nil, nearest: String? = nil,
    remedy: String? = nil
  ) {
    self.message = message
    offset = place.offset
    length = place.length
    self.found = found
    self.expected = expected
    self.nearest = nearest
    self.remedy = remedy
  }

  package var description: String {
    var text = "offset \(offset): \(message)"
    if let found { text += "; found \(found)" }
    if let expected { text += "; expected \(expected)" }
    if let nearest { text += "; did you mean \(nearest)?" }
    if let remedy { text += " (\(remedy))" }
    return text
  }
}

/// A part of a text, in UTF-8 bytes.
package struct SourcePlace: Sendable, Hashable {
  package var offset: Int
  package var length: Int

  package init(offset: Int, length: Int) {
    self.offset = offset
    self.length = length
  }

  package var end: Int { offset + length }

  /// From the beginning of this part to the end of the other.
  func through(_ other: SourcePlace) -> SourcePlace {
    SourcePlace(offset: offset, length: max(0, other.end - offset))
  }
}
