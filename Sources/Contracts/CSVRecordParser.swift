/// Where one cell is in the input, without its outer quotes.
struct CSVCell {
  var range: Range<Int>
  var hasDoubledQuotes: Bool
}

/// Finds the cells of one record after the other (RFC 4180).
struct CSVRecordParser {
  enum Outcome {
    /// `cells` holds a record.
    case record
    case blank
    /// The record does not end in what is there; the next call starts it over.
    case incomplete
    /// The record was skipped, up to its line's end.
    case fault(InputFault)
  }

  private(set) var cells: [CSVCell] = []
  /// Of the record that comes next, from 1.
  private(set) var line = 1
  private(set) var isAtStart = true

  /// Reads the record at `start` and moves `start` behind it.
  mutating func next(in input: Span<UInt8>, from start: inout Int, isFinal: Bool) -> Outcome {
    cells.removeAll(keepingCapacity: true)
    guard start < input.count else { return .incomplete }
    var at = start
    var linesInside = 0
    while true {
      let cellLine = line + linesInside
      switch cell(in: input, at: &at, isFinal: isFinal, linesInside: &linesInside) {
      case .incomplete: return .incomplete
      case .wrong(let message, let remedy):
        let fault = InputFault(
          line: cellLine, column: nil, message: "cell \(cells.count + 1): \(message)", remedy: remedy)
        while at < input.count && input[at] != .lineFeed { at += 1 }
        guard at < input.count || isFinal else { return .incomplete }
        advance(&start, to: min(at + 1, input.count), lines: linesInside + 1)
        return .fault(fault)
      case .cell: at += 1
      case .lastCell:
        let isBlank = cells.count == 1 && cells[0].range.isEmpty && input[start] != .quote
        advance(&start, to: min(at + 1, input.count), lines: linesInside + 1)
        return isBlank ? .blank : .record
      }
    }
  }

  private mutating func advance(_ start: inout Int, to end: Int, lines: Int) {
    start = end
    line += lines
    isAtStart = false
  }

  private enum CellOutcome {
    /// A comma is at `at`.
    case cell
    /// The record's line feed is at `at`, or the input's end.
    case lastCell
    case incomplete
    case wrong(message: String, remedy: String)
  }

  private mutating func cell(
    in input: Span<UInt8>, at: inout Int, isFinal: Bool, linesInside: inout Int
  ) -> CellOutcome {
    var cell = CSVCell(range: at..<at, hasDoubledQuotes: false)
    if at < input.count && input[at] == .quote {
      guard let closing = closingQuote(in: input, from: at + 1, cell: &cell, linesInside: &linesInside) else {
        return isFinal
          ? .wrong(
            message: "the quote is never closed", remedy: "close the cell with a double quote; inside it, double them")
          : .incomplete
      }
      cell.range = (at + 1)..<closing
      at = closing + 1
      if at < input.count && input[at] == .carriageReturn { at += 1 }
    } else {
      while at < input.count, input[at] != .comma, input[at] != .lineFeed {
        guard input[at] != .quote else {
          return .wrong(
            message: "a quote inside of the cell", remedy: "put the whole cell in double quotes, and double this one")
        }
        at += 1
      }
      let isLineEnd = at < input.count ? input[at] == .lineFeed : isFinal
      let hasReturn = isLineEnd && at > cell.range.lowerBound && input[at - 1] == .carriageReturn
      cell.range = cell.range.lowerBound..<(hasReturn ? at - 1 : at)
    }
    guard at < input.count || isFinal else { return .incomplete }
    guard at == input.count || input[at] == .comma || input[at] == .lineFeed else {
      return .wrong(message: "text behind the closing quote", remedy: "double the quotes that belong to the text")
    }
    cells.append(cell)
    return at < input.count && input[at] == .comma ? .cell : .lastCell
  }

  private func closingQuote(
    in input: Span<UInt8>, from start: Int, cell: inout CSVCell, linesInside: inout Int
  ) -> Int? {
    var at = start
    while at < input.count {
      if input[at] == .quote {
        guard at + 1 < input.count && input[at + 1] == .quote else { return at }
        cell.hasDoubledQuotes = true
        at += 1
      } else if input[at] == .lineFeed {
        linesInside += 1
      }
      at += 1
    }
    return nil
  }
}

extension UInt8 {
  fileprivate static let comma = UInt8(ascii: ",")
  fileprivate static let quote = UInt8(ascii: "\"")
  fileprivate static let lineFeed = UInt8(ascii: "\n")
  fileprivate static let carriageReturn = UInt8(ascii: "\r")
}
