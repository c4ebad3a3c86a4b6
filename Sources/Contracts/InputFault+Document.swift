package import Core

extension InputFault {
  /// A document that is no valid JSON, as a person finds it again in the file.
  package init(_ fault: JSONFault, document: Int, of batch: DocumentBatch) {
    let place = Self.place(of: fault.position, document: document, in: batch)
    let found = Self.excerpt(at: fault.position, upTo: batch.trimmedRange(of: document).upperBound, in: batch.bytes)
    self.init(
      line: place.line, column: place.column, message: "found \(found): \(fault.reason.expectation)",
      remedy: fault.reason.remedy)
  }

  /// Line and column, both from 1, of a byte of a document.
  static func place(of position: Int, document: Int, in batch: DocumentBatch) -> (line: Int, column: Int) {
    let range = batch.trimmedRange(of: document)
    let end = min(max(position, range.lowerBound), range.upperBound)
    var (line, column) = (batch.lines[document], 1)
    for byte in batch.bytes[range.lowerBound..<end] {
      if byte == UInt8(ascii: "\n") {
        (line, column) = (line + 1, 1)
      } else if byte & 0xc0 != 0x80 {
        column += 1
      }
    }
    return (line, column)
  }

  private static func excerpt(at position: Int, upTo end: Int, in bytes: [UInt8]) -> String {
    guard position < end else { return "the end of the line" }
    let length = 24
    let piece = bytes[position..<min(end, position + length)]
    // Bytes that are no UTF-8, and a character that the cut halves, show as U+FFFD.
    var text = String(decoding: piece, as: UTF8.self)
    if position + length < end {
      while text.last == "\u{fffd}" { text.removeLast() }
      text += "…"
    }
    return text.debugDescription
  }
}
