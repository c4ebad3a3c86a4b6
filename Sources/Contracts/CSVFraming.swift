package import Core

/// Comma-separated values (RFC 4180) as JSON documents: the first record names the fields, every other one is an
/// object.
///
/// A cell that is a valid JSON number becomes that number, digit for digit; an empty cell becomes `null`; everything
/// else becomes a string. Quotes say nothing about the type. Lines end with LF or CRLF; empty lines are skipped.
package struct CSVFraming: DocumentFraming {
  private var parser = CSVRecordParser()
  /// `"name":` for each column, escaped once; empty before the header.
  private var names: [[UInt8]] = []
  private let recordBytesMax: Int

  /// - Parameter recordBytesMax: a longer record ends the reading: usually a quote that is never closed.
  package init(recordBytesMax: Int = 16 << 20) { self.recordBytesMax = recordBytesMax }

  package mutating func frame(
    _ input: inout [UInt8], isFinal: Bool, into batch: inout DocumentBatch
  ) throws(HeadraceError) {
    batch.reset()
    var start = parser.isAtStart && input.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    reading: while true {
      let line = parser.line
      switch parser.next(in: input.span, from: &start, isFinal: isFinal) {
      case .incomplete: break reading
      case .blank: continue
      case .fault(let fault) where names.isEmpty:
        throw HeadraceError(
          .user, "CSV_HEADER_INVALID", fault.message, place: "line \(fault.line)", remedy: fault.remedy)
      case .fault(let fault): batch.faults.append(fault)
      case .record:
        if names.isEmpty {
          try readHeader(input, line: line)
        } else {
          write(input, line: line, to: &batch)
        }
      }
    }
    input.removeFirst(start)
    guard input.count <= recordBytesMax else { throw .lineTooLong(line: parser.line, lineBytesMax: recordBytesMax) }
  }

  private mutating func readHeader(_ input: [UInt8], line: Int) throws(HeadraceError) {
    var seen: Set<[UInt8]> = []
    for (column, cell) in parser.cells.enumerated() {
      let name = cell.text(in: input)
      guard !name.isEmpty, seen.insert(name).inserted else {
        let shown = String(decoding: name, as: UTF8.self)
        throw HeadraceError(
          .user, "CSV_HEADER_INVALID",
          "column \(column + 1) of the header is \(name.isEmpty ? "empty" : "'\(shown)' again")",
          place: "line \(line)", remedy: "give every column a name of its own in the first line")
      }
      var json: [UInt8] = []
      JSONText.appendString(name.span, to: &json)
      names.append(json + [UInt8(ascii: ":")])
    }
  }

  private func write(_ input: [UInt8], line: Int, to batch: inout DocumentBatch) {
    guard parser.cells.count == names.count else {
      batch.faults.append(
        InputFault(
          line: line, column: nil, message: "found \(parser.cells.count) cells, the header has \(names.count)",
          remedy: "make the counts equal; a comma inside of a cell needs double quotes around the cell"))
      return
    }
    var separator = UInt8(ascii: "{")
    for (name, cell) in zip(names, parser.cells) {
      batch.bytes.append(separator)
      batch.bytes += name
      cell.appendJSON(from: input, to: &batch.bytes)
      separator = UInt8(ascii: ",")
    }
    batch.bytes += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
    batch.ends.append(UInt32(batch.bytes.count))
    batch.lines.append(line)
  }
}

extension CSVCell {
  /// The cell's text, doubled quotes resolved.
  func text(in input: [UInt8]) -> [UInt8] {
    guard hasDoubledQuotes else { return Array(input[range]) }
    var text: [UInt8] = []
    var isSecond = false
    for byte in input[range] {
      isSecond = byte == UInt8(ascii: "\"") && !isSecond
      if !isSecond { text.append(byte) }
    }
    return text
  }

  func appendJSON(from input: [UInt8], to json: inout [UInt8]) {
    if range.isEmpty {
      json += Array("null".utf8)
    } else if JSONNumber.isValid(input.span.extracting(range)) {
      json += input[range]
    } else if hasDoubledQuotes {
      JSONText.appendString(text(in: input).span, to: &json)
    } else {
      JSONText.appendString(input.span.extracting(range), to: &json)
    }
  }
}
