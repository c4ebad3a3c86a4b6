internal import Columns
internal import Core

/// What a file's `stats` say (PROTOCOL.md, "Per-file Statistics").
struct FileStatistics {
  private let document: JSONDocument

  private static let depthMax = 64

  /// Nil when the file has none that can be read: then nothing is known of it.
  init?(_ file: DataFile) {
    guard let text = file.statistics, let document = try? JSONDocument(Array(text.utf8), depthMax: Self.depthMax) else {
      return nil
    }
    self.document = document
  }

  var rowCount: Int64? { document["numRecords"]?.integer.flatMap { $0 >= 0 ? $0 : nil } }

  func nullCount(_ column: String) -> Int64? { document["nullCount"]?[column]?.integer }

  /// A value that no value of the column is less than.
  func minimum(_ column: String, _ type: ColumnType) -> Value? {
    document["minValues"]?[column].flatMap { Self.value($0, type) }
  }

  /// A value that no value of the column is greater than.
  func maximum(_ column: String, _ type: ColumnType) -> Value? {
    guard let value = document["maxValues"]?[column].flatMap({ Self.value($0, type) }) else { return nil }
    switch value {
    // Writers cut timestamps off at the millisecond.
    case .timestamp(let microseconds): return .timestamp(microseconds.addingReportingOverflow(999).partialValue)
    // Texts are cut off too, and not every writer says so in the last character.
    case .string(let text) where text.unicodeScalars.count >= Self.textScalarsMax: return nil
    default: return value
    }
  }

  private static let textScalarsMax = 32

  private static func value(_ document: JSONDocument, _ type: ColumnType) -> Value? {
    switch (document.content, type) {
    case (.number, .integer): document.integer.map { .integer($0) }
    case (.number(let text), .double): Double(text).map { .double($0) }
    case (.number(let text), .decimal(let scale)):
      JSONNumber.decimal(text, scale: scale).map { .decimal(unscaled: $0, scale: scale) }
    case (.string(let text), .string): .string(text)
    case (.string(let text), .date), (.string(let text), .timestamp): PartitionValue.value(text, type)
    default: nil
    }
  }
}

/// Gathers the `stats` of a new file.
struct FileStatisticsWriter {
  struct ColumnRange {
    var name: String
    var nullCount: Int64
    /// Of all values; nil when they are unknown or have no order.
    var minimum: Value?
    var maximum: Value?
  }

  /// Texts are cut off behind so many characters, as other writers do.
  static let textScalarsMax = 32

  static func json(rowCount: Int64, _ columns: [ColumnRange]) -> String {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("numRecords", rowCount)
      writer.key("minValues")
      writer.object { writer in
        for column in columns { write(column.name, column.minimum.flatMap(lower), to: &writer) }
      }
      writer.key("maxValues")
      writer.object { writer in
        for column in columns { write(column.name, column.maximum.flatMap(upper), to: &writer) }
      }
      writer.key("nullCount")
      writer.object { writer in
        for column in columns { writer.member(column.name, column.nullCount) }
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// A JSON number or text.
  private enum Bound {
    case number(String)
    case text(String)
  }

  private static func write(_ name: String, _ bound: Bound?, to writer: inout JSONWriter) {
    guard let bound else { return }
    writer.key(name)
    switch bound {
    case .number(let digits): writer.raw(digits.utf8)
    case .text(let text): writer.string(text)
    }
  }

  private static func lower(_ value: Value) -> Bound? {
    switch value {
    case .string(let text): .text(String(String.UnicodeScalarView(text.unicodeScalars.prefix(textScalarsMax))))
    case .timestamp(let microseconds): .text(milliseconds(floorDivide(microseconds, 1_000)))
    default: exact(value)
    }
  }

  private static func upper(_ value: Value) -> Bound? {
    switch value {
    case .string(let text): .text(textNotLess(than: text))
    case .timestamp(let microseconds):
      microseconds > Int64.max - 999 ? nil : .text(milliseconds(floorDivide(microseconds + 999, 1_000)))
    default: exact(value)
    }
  }

  private static func exact(_ value: Value) -> Bound? {
    switch value {
    case .integer(let value): .number(String(value))
    case .double(let value): value.isFinite ? .number(String(value)) : nil
    case .decimal(let unscaled, let scale): .number(DecimalText.text(unscaled, scale: scale))
    case .date(let days): .text(TimeText.date(days: days))
    default: nil
    }
  }

  private static func milliseconds(_ milliseconds: Int64) -> String {
    let text = TimeText.timestamp(microseconds: milliseconds.multipliedReportingOverflow(by: 1_000).partialValue)
    return "\(text.dropLast(4))Z"
  }

  /// A short text that is no less than a long one: its beginning and the largest character there is. Where the long one
  /// goes on with that character itself, the beginning takes it along.
  static func textNotLess(than text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    guard scalars.count > textScalarsMax else { return text }
    let largest: Unicode.Scalar = "\u{10FFFF}"
    var count = textScalarsMax
    while count < scalars.count, scalars[count] == largest { count += 1 }
    guard count < scalars.count else { return text }
    return String(String.UnicodeScalarView(scalars[..<count])) + String(largest)
  }
}
