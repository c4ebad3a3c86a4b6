internal import Core
internal import Columns
internal import Contracts

/// Join keys and request fields of a request, typed.
extension Value {
  /// A value of a request as the type that the catalog wants.
  ///
  /// As Feast does, numbers may come as text; an integer may come with a fraction of zero, because data frames with
  /// holes turn integers into doubles.
  ///
  /// - Returns: nil when it is no such value.
  init?(_ value: JSONValue, in body: Span<UInt8>, as type: ColumnType) {
    if value.kind == .null {
      self = .null
      return
    }
    let isText = value.isString
    switch type {
    case .string:
      guard isText || value.kind == .integer else { return nil }
      self = .string(value.string(in: body))
    case .integer:
      guard let number = Self.integer(value, in: body) else { return nil }
      self = .integer(number)
    case .double:
      guard isText || value.kind == .integer || value.kind == .decimal, let number = Double(value.string(in: body)),
        number.isFinite
      else { return nil }
      self = .double(number)
    case .boolean:
      switch (value.kind, isText ? value.string(in: body) : "") {
      case (.true, _), (_, "true"): self = .boolean(true)
      case (.false, _), (_, "false"): self = .boolean(false)
      default: return nil
      }
    case .timestamp:
      if let milliseconds = isText ? RFC3339.milliseconds(value.bytes(in: body)) : nil {
        self = .timestamp(milliseconds * 1_000)
      } else if let number = Self.integer(value, in: body) {
        self = .timestamp(number)
      } else {
        return nil
      }
    case .date:
      if isText, let milliseconds = RFC3339.milliseconds(value.string(in: body)) {
        self = .date(milliseconds.dividedDown(by: 86_400_000).quotient)
      } else if let number = Self.integer(value, in: body) {
        self = .date(number)
      } else {
        return nil
      }
    case .bytes:
      guard isText else { return nil }
      self = .bytes(Array(value.string(in: body).utf8))
    case .decimal(let scale):
      guard isText || value.kind == .integer || value.kind == .decimal,
        let unscaled = Self.unscaled(value.string(in: body), scale: scale)
      else { return nil }
      self = .decimal(unscaled: unscaled, scale: scale)
    }
  }

  private static func integer(_ value: JSONValue, in body: Span<UInt8>) -> Int64? {
    switch value.kind {
    case .integer, .string: return Int64(ascii: value.bytes(in: body))
    case .decimal: return Double(value.string(in: body)).flatMap { Int64(exactly: $0) }
    default: return nil
    }
  }

  /// Digits with at most `scale` of them behind the point; nil when it is not exactly that.
  private static func unscaled(_ text: String, scale: Int) -> Int128? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = parts.count > 1 ? parts[1] : ""
    guard !text.isEmpty, fraction.utf8.count <= scale, fraction.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    let zeros = String(repeating: "0", count: scale - fraction.utf8.count)
    return Int128(parts[0] + fraction + zeros)
  }
}
