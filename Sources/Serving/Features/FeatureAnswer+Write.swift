internal import Columns
internal import Core
internal import Features
internal import NIOCore

extension FeatureAnswer {
  /// Appends the answer's text.
  ///
  /// - Parameter hasAdditions: whether to tell more than Feast does.
  /// - Returns: how many values of each status are in it.
  func write(to text: inout ByteBuffer, hasAdditions: Bool) -> StatusCounts {
    // Names and statuses take about this much; a longer answer grows the buffer.
    text.reserveCapacity(
      minimumWritableBytes: 256 + shape.metadata.readableBytes + (shape.columns.count + 1) * (60 + 56 * rowCount))
    text.write("{\"results\":[{\"values\":[")
    for key in shape.joinKeys.indices { writeJoinKey(key, to: &text) }
    var counts = StatusCounts()
    var written = RecentMarks()
    for column in shape.columns {
      let place = place(column.origin)
      writeValues(column, place, to: &text)
      if let marks = written.first(where: { hasSameMarks($0.place, place) }) {
        counts.add(marks.counts)
        text.repeatText(marks.range)
      } else {
        let start = text.writerIndex
        let ofColumn = writeMarks(place, to: &text)
        counts.add(ofColumn)
        written.note(WrittenMarks(place: place, range: start..<text.writerIndex, counts: ofColumn))
      }
    }
    // Every column ends with the beginning of the next, which is one write less for each; behind the last is none.
    let hasColumns = !shape.columns.isEmpty || !shape.joinKeys.isEmpty
    text.moveWriterIndex(to: text.writerIndex - Self.columnStartBytes - (hasColumns ? 1 : 0))
    text.write("],")
    text.writeImmutableBuffer(shape.metadata)
    if hasAdditions { writeAdditions(to: &text) }
    text.write("}")
    return counts
  }

  /// Of `{"values":[`.
  private static let columnStartBytes = 11

  private func writeJoinKey(_ key: Int, to text: inout ByteBuffer) {
    for row in 0..<rowCount {
      if row > 0 { text.write(",") }
      text.writeValue(joinKeys[key * rowCount + row])
    }
    text.write("],\"statuses\":[")
    for row in 0..<rowCount { text.write(row > 0 ? ",\"PRESENT\"" : "\"PRESENT\"") }
    text.write("],\"event_timestamps\":[")
    for row in 0..<rowCount { text.write(row > 0 ? ",\"1970-01-01T00:00:00Z\"" : "\"1970-01-01T00:00:00Z\"") }
    text.write("]},{\"values\":[")
  }

  private func writeValues(_ column: ResolvedShape.Column, _ place: Place, to text: inout ByteBuffer) {
    for row in 0..<rowCount {
      if row > 0 { text.write(",") }
      switch values[place.index(row)].value {
      case .null: text.writeValue(column.defaultValue)
      case let value: text.writeValue(value)
      }
    }
  }

  private func writeAdditions(to text: inout ByteBuffer) {
    var flags = FeatureFlags()
    for index in values.indices { flags.formUnion(values[index].flags) }
    text.write(",\"headrace\":{\"read_at\":\"")
    text.writeTime(milliseconds: readAtMilliseconds)
    text.write("\",\"tile\":")
    text.write(flags.contains(.tile) ? "true" : "false")
    text.write(",\"approximate\":")
    text.write(flags.contains(.approximate) ? "true" : "false")
    if let watermarkMilliseconds {
      text.write(",\"watermark\":\"")
      text.writeTime(milliseconds: watermarkMilliseconds)
      text.write("\",\"watermark_age_ms\":")
      text.writeDecimal(max(readAtMilliseconds &- watermarkMilliseconds, 0))
    }
    text.write("}")
  }
}

/// Statuses and event times of a column. Features of one row nearly always share them, but for windows without events,
/// so that most columns copy the text of one before.
extension FeatureAnswer {
  private struct WrittenMarks {
    var place: Place
    var range: Range<Int>
    var counts: StatusCounts
  }

  /// The newest two different ones.
  private struct RecentMarks {
    private var newest: WrittenMarks?
    private var older: WrittenMarks?

    mutating func note(_ marks: WrittenMarks) { (newest, older) = (marks, newest) }

    func first(where isWanted: (WrittenMarks) -> Bool) -> WrittenMarks? {
      if let newest, isWanted(newest) { return newest }
      if let older, isWanted(older) { return older }
      return nil
    }
  }

  private func hasSameMarks(_ left: Place, _ right: Place) -> Bool {
    for row in 0..<rowCount {
      let (left, right) = (left.index(row), right.index(row))
      guard status(left) == status(right), values[left].eventTimeMilliseconds == values[right].eventTimeMilliseconds
      else { return false }
    }
    return true
  }

  /// - Returns: how many values of each status there are.
  private func writeMarks(_ place: Place, to text: inout ByteBuffer) -> StatusCounts {
    var counts = StatusCounts()
    text.write("],\"statuses\":[")
    for row in 0..<rowCount {
      if row > 0 { text.write(",") }
      let status = status(place.index(row))
      counts.add(status)
      text.write(status.quoted)
    }
    text.write("],\"event_timestamps\":[")
    for row in 0..<rowCount {
      text.write(row > 0 ? ",\"" : "\"")
      text.writeTime(milliseconds: values[place.index(row)].eventTimeMilliseconds ?? 0)
      text.write("\"")
    }
    text.write("]},{\"values\":[")
    return counts
  }

  /// An empty list is a null on the wire, so that its status has to say so.
  private func status(_ index: Int) -> FeatureStatus {
    if case .list(let elements) = values[index].value, elements.isEmpty { return .nullValue }
    return values[index].status
  }
}

/// How many values of each status an answer has.
struct StatusCounts {
  private(set) var present = 0
  private(set) var nullValue = 0
  private(set) var notFound = 0
  private(set) var outsideMaxAge = 0

  mutating func add(_ status: FeatureStatus) {
    switch status {
    case .present: present += 1
    case .nullValue: nullValue += 1
    case .notFound: notFound += 1
    case .outsideMaxAge: outsideMaxAge += 1
    }
  }

  mutating func add(_ counts: StatusCounts) {
    present += counts.present
    nullValue += counts.nullValue
    notFound += counts.notFound
    outsideMaxAge += counts.outsideMaxAge
  }
}

extension FeatureStatus {
  fileprivate var quoted: StaticString {
    switch self {
    case .present: "\"PRESENT\""
    case .nullValue: "\"NULL_VALUE\""
    case .notFound: "\"NOT_FOUND\""
    case .outsideMaxAge: "\"OUTSIDE_MAX_AGE\""
    }
  }
}
