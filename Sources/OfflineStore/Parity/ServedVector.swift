package import Columns
package import Features

/// What was served for one entity, and what it was made of: enough to make it again.
package struct ServedVector: Sendable {
  /// The row of one view.
  package struct Read: Sendable {
    package var view: String
    /// The entity's join keys, in the entity's order.
    package var key: [(name: String, value: Value)]
    /// The time that windows ended at.
    package var readMilliseconds: Int64
    package var watermarkMilliseconds: Int64?
    package var prefix: LogPrefix
    package var features: [Feature]

    package init(
      view: String, key: [(name: String, value: Value)], readMilliseconds: Int64, watermarkMilliseconds: Int64?,
      prefix: LogPrefix, features: [Feature]
    ) {
      self.view = view
      self.key = key
      self.readMilliseconds = readMilliseconds
      self.watermarkMilliseconds = watermarkMilliseconds
      self.prefix = prefix
      self.features = features
    }
  }

  package struct Feature: Sendable {
    package var name: String
    /// Of its meaning, in the plan that served it.
    package var fingerprint: String
    /// As the store gave it, before any default.
    package var value: ServedValue
    package var status: FeatureStatus
    /// What the service put in the place of a null; nil when nothing.
    package var servedDefault: ServedValue?

    package init(
      name: String, fingerprint: String, value: ServedValue, status: FeatureStatus, servedDefault: ServedValue? = nil
    ) {
      self.name = name
      self.fingerprint = fingerprint
      self.value = value
      self.status = status
      self.servedDefault = servedDefault
    }
  }

  /// Random: what tells the rows of one vector from those of others.
  package var id: Int64
  /// By the server's clock.
  package var servedMilliseconds: Int64
  /// Nil for a plain list of features.
  package var service: String?
  package var reads: [Read]
  /// Values that came with the request.
  package var request: [Feature]
  /// Computed for the request, of the above.
  package var onDemand: [Feature]

  package init(
    id: Int64, servedMilliseconds: Int64, service: String?, reads: [Read], request: [Feature], onDemand: [Feature]
  ) {
    self.id = id
    self.servedMilliseconds = servedMilliseconds
    self.service = service
    self.reads = reads
    self.request = request
    self.onDemand = onDemand
  }
}

/// A value as its table keeps it: two are equal when they are so bit for bit.
package enum ServedValue: Sendable, Hashable {
  case null
  /// Also booleans, microseconds of timestamps and days of dates.
  case integer(Int64)
  case double(bits: UInt64)
  /// Also bytes (hexadecimal), decimals (`UNSCALEDe-SCALE`) and lists (JSON).
  case text(String)

  package init(_ value: Value) {
    self =
      switch value {
      case .null: .null
      case .boolean(let flag): .integer(flag ? 1 : 0)
      case .integer(let number), .timestamp(let number), .date(let number): .integer(number)
      case .double(let number): .double(bits: number.bitPattern)
      case .string(let text): .text(text)
      case .bytes(let bytes): .text(Self.hexadecimal(bytes))
      case .decimal(let unscaled, let scale): .text("\(unscaled)e-\(scale)")
      case .list(let values): .text(Self.listText(values))
      }
  }

  /// The value of a type; nil when it is of another one.
  package func value(of type: ColumnType) -> Value? {
    switch (self, type) {
    case (.null, _): .null
    case (.integer(let number), .boolean): .boolean(number != 0)
    case (.integer(let number), .integer): .integer(number)
    case (.integer(let number), .timestamp): .timestamp(number)
    case (.integer(let number), .date): .date(number)
    case (.double(let bits), .double): .double(Double(bitPattern: bits))
    case (.text(let text), .string): .string(text)
    case (.text(let text), .bytes): Self.bytes(hexadecimal: text).map { .bytes($0) }
    case (.text(let text), .decimal(let scale)):
      text.hasSuffix("e-\(scale)")
        ? Int128(text.prefix { $0 != "e" }).map { .decimal(unscaled: $0, scale: scale) } : nil
    default: nil
    }
  }

  /// For people and for JSON.
  package var text: String {
    switch self {
    case .null: "null"
    case .integer(let number): String(number)
    case .double(let bits): Double(bitPattern: bits).description
    case .text(let text): text
    }
  }

  /// Texts in quotes, doubles in the shortest form that reads back as the same bits.
  private static func listText(_ values: [Value]) -> String {
    let elements = values.map { value in
      switch ServedValue(value) {
      case .text(let text): "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" } + "\""
      case let other: other.text
      }
    }
    return "[\(elements.joined(separator: ","))]"
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    return bytes
  }
}
