internal import Contracts
internal import Core
internal import NIOCore

/// Turns the rows of a data frame into events of a source: JSON objects, in the order of the frame's columns.
struct PushEncoder {
  /// Feast's names for columns that are about the row and not of it.
  private static let eventTimestamp = "event_timestamp"
  private static let created = "created"

  private let target: PushTarget
  private let request: PushRequest
  private let columns: [PushRequest.Column]
  private let keyColumn: Int?
  /// Where times come from when the frame has them under Feast's name only.
  private let timestampColumn: PushRequest.Column?

  init(_ request: PushRequest, target: PushTarget) {
    self.target = target
    self.request = request
    let names = Set(request.columns.map(\.name))
    let columns = request.columns.filter {
      target.fields.contains($0.name) || ($0.name != Self.eventTimestamp && $0.name != Self.created)
    }
    let hasOwnTime = names.contains(target.eventTime.name)
    timestampColumn = hasOwnTime ? nil : request.columns.first { $0.name == Self.eventTimestamp }
    keyColumn = target.keyField.flatMap { key in columns.firstIndex { $0.name == key } }
    self.columns = columns
  }

  /// - Throws: 422 when a time is none.
  func records(in body: Span<UInt8>, nowMilliseconds: Int64) throws(Problem) -> [PushedRecord] {
    var records: [PushedRecord] = []
    records.reserveCapacity(request.rowCount)
    for row in 0..<request.rowCount {
      let value = try event(row, in: body)
      records.append(PushedRecord(key: key(row, in: body), value: value, timestampMilliseconds: nowMilliseconds))
    }
    return records
  }

  private func event(_ row: Int, in body: Span<UInt8>) throws(Problem) -> [UInt8] {
    var json = ByteBuffer()
    json.write("{")
    for (index, column) in columns.enumerated() {
      if index > 0 { json.write(",") }
      json.writeQuoted(column.name)
      json.write(":")
      if column.name == target.eventTime.name, column.values[row].isString {
        try writeTime(column, row, in: body, to: &json)
      } else {
        json.write(column.values[row].source(in: body))
      }
    }
    if let timestampColumn {
      if !columns.isEmpty { json.write(",") }
      json.writeQuoted(target.eventTime.name)
      json.write(":")
      try writeTime(timestampColumn, row, in: body, to: &json)
    }
    json.write("}")
    return Array(json.readableBytesView)
  }

  /// A time as the source's contract wants it. Naive times are UTC: Feast's client sends such.
  private func writeTime(
    _ column: PushRequest.Column, _ row: Int, in body: Span<UInt8>, to json: inout ByteBuffer
  ) throws(Problem) {
    let found = column.values[row]
    if found.kind == .integer || found.kind == .decimal || found.kind == .null {
      return json.write(found.source(in: body))
    }
    guard found.isString, let milliseconds = Self.milliseconds(found.string(in: body)) else {
      throw Problem(
        422, "NO_TIME", "\(found.excerpt(in: body)) is no time", place: "df.\(column.name).\(row)",
        remedy: "write it as RFC 3339, 2026-11-20T12:34:56.789Z; without a zone it is UTC")
    }
    switch target.eventTime.encoding {
    case .text:
      json.write("\"")
      json.writeTime(milliseconds: milliseconds)
      json.write("\"")
    case .number(.seconds): json.writeDecimal(milliseconds.dividedDown(by: 1_000).quotient)
    case .number(.milliseconds): json.writeDecimal(milliseconds)
    case .number(.microseconds): json.writeDecimal(milliseconds * 1_000)
    case .number(.nanoseconds):
      // Years behind 2262 do not fit: what is far off stays far off, and the contract or the skew refuses it.
      let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
      json.writeDecimal(overflow ? .max : nanoseconds)
    }
  }

  static func milliseconds(_ text: String) -> Int64? {
    RFC3339.milliseconds(text) ?? RFC3339.milliseconds(text + "Z")
  }

  private func key(_ row: Int, in body: Span<UInt8>) -> [UInt8]? {
    guard let keyColumn else { return nil }
    let value = columns[keyColumn].values[row]
    guard value.kind != .null else { return nil }
    var key: [UInt8] = []
    value.appendText(in: body, to: &key)
    return key
  }
}
