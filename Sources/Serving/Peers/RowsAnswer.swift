internal import Columns
internal import Core
internal import Features
internal import NIOCore
internal import Runtime

/// A row as its owner read it.
struct PeerRow: Equatable, Sendable {
  var moment: ReadMoment
  /// In the order of the features that were asked for.
  var values: [FeatureValue]
}

/// The body of an answer of `POST /api/rows`: a row for each that was asked for, in the same order.
struct RowsAnswer: Equatable {
  var rows: [PeerRow] = []

  /// Changes with every change of the layout.
  static let magic: UInt32 = 0x4852_4157

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.number(Self.magic)
    writer.number(UInt32(clamping: rows.count))
    for row in rows {
      writer.number(row.moment.atMilliseconds)
      writer.optional(row.moment.watermarkMilliseconds)
      writer.number(UInt32(clamping: row.values.count))
      for value in row.values { writer.append(value) }
    }
    return writer.bytes
  }

  init(rows: [PeerRow] = []) { self.rows = rows }

  init(_ bytes: [UInt8]) throws(HeadraceError) {
    var reader = unsafe ByteReader(bytes.span.bytes, place: "the answer with rows")
    guard try reader.number(UInt32.self) == Self.magic else { throw reader.broken("it is of another version") }
    let rowCount = try reader.count(ofSize: 13)
    for _ in 0..<rowCount {
      let moment = ReadMoment(
        atMilliseconds: try reader.number(), watermarkMilliseconds: try Self.optional(&reader))
      var row = PeerRow(moment: moment, values: [])
      for _ in 0..<(try reader.count(ofSize: 4)) { row.values.append(try Self.featureValue(&reader)) }
      rows.append(row)
    }
    guard reader.isAtEnd else { throw reader.broken("bytes behind its end") }
  }

  private static let statuses: [FeatureStatus] = [.present, .nullValue, .notFound, .outsideMaxAge]

  fileprivate static func number(of status: FeatureStatus) -> UInt8 {
    UInt8(clamping: statuses.firstIndex(of: status) ?? 0)
  }

  private static func optional(_ reader: inout ByteReader) throws(HeadraceError) -> Int64? {
    switch try reader.number(UInt8.self) {
    case 0: return nil
    case 1: return try reader.number(Int64.self)
    case let flag: throw reader.broken("a flag of \(flag)")
    }
  }

  private static func featureValue(_ reader: inout ByteReader) throws(HeadraceError) -> FeatureValue {
    let status = Int(try reader.number(UInt8.self))
    guard statuses.indices.contains(status) else { throw reader.broken("status \(status)") }
    let flags = FeatureFlags(rawValue: try reader.number())
    let eventTime = try optional(&reader)
    return FeatureValue(
      value: try value(&reader, depth: 0), status: statuses[status], eventTimeMilliseconds: eventTime, flags: flags)
  }

  /// Lists hold no lists.
  private static func value(_ reader: inout ByteReader, depth: Int) throws(HeadraceError) -> Value {
    switch try reader.number(UInt8.self) {
    case 0: return .null
    case 1: return .boolean(try reader.number(UInt8.self) != 0)
    case 2: return .integer(try reader.number())
    case 3: return .double(Double(bitPattern: try reader.number()))
    case 4: return .string(try reader.text())
    case 5: return .bytes(try reader.block())
    case 6: return .timestamp(try reader.number())
    case 7: return .date(try reader.number())
    case 8:
      let unscaled = try reader.number(Int128.self)
      let scale = try reader.number(UInt8.self)
      return .decimal(unscaled: unscaled, scale: Int(scale))
    case 9 where depth == 0:
      var elements: [Value] = []
      for _ in 0..<(try reader.count(ofSize: 1)) { elements.append(try value(&reader, depth: 1)) }
      return .list(elements)
    case let kind: throw reader.broken("a value of kind \(kind)")
    }
  }
}

extension ByteWriter {
  fileprivate mutating func optional(_ number: Int64?) {
    self.number(UInt8(number == nil ? 0 : 1))
    if let number { self.number(number) }
  }

  fileprivate mutating func append(_ value: FeatureValue) {
    number(RowsAnswer.number(of: value.status))
    number(value.flags.rawValue)
    optional(value.eventTimeMilliseconds)
    append(value.value)
  }

  fileprivate mutating func append(_ value: Value) {
    switch value {
    case .null: number(UInt8(0))
    case .boolean(let flag):
      number(UInt8(1))
      number(UInt8(flag ? 1 : 0))
    case .integer(let integer):
      number(UInt8(2))
      number(integer)
    case .double(let double):
      number(UInt8(3))
      number(double.bitPattern)
    case .string(let string):
      number(UInt8(4))
      text(string)
    case .bytes(let bytes):
      number(UInt8(5))
      unsafe block(bytes.span.bytes)
    case .timestamp(let microseconds):
      number(UInt8(6))
      number(microseconds)
    case .date(let days):
      number(UInt8(7))
      number(days)
    case .decimal(let unscaled, let scale):
      number(UInt8(8))
      number(unscaled)
      number(UInt8(clamping: scale))
    case .list(let elements):
      number(UInt8(9))
      number(UInt32(clamping: elements.count))
      for element in elements { append(element) }
    }
  }
}
