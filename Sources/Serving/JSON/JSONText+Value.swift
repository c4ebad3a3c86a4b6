internal import Core
internal import Contracts

extension JSONValue {
  var isString: Bool { kind == .string || kind == .escapedString }

  /// The bytes of the value in the text that it was found in.
  @_lifetime(copy text)
  func bytes(in text: Span<UInt8>) -> Span<UInt8> { text.extracting(range) }

  /// The text of a string value, escapes resolved.
  func string(in text: Span<UInt8>) -> String {
    var bytes: [UInt8] = []
    appendText(in: text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the text of a string, or the digits and letters of any other value as they stand.
  func appendText(in text: Span<UInt8>, to target: inout [UInt8]) {
    let raw = bytes(in: text)
    if kind == .escapedString {
      JSONText.unescape(raw, into: &target)
    } else {
      unsafe raw.withUnsafeBufferPointer { unsafe target.append(contentsOf: $0) }
    }
  }

  /// The value as it stands in the text, with the quotes of a string.
  @_lifetime(copy text)
  func source(in text: Span<UInt8>) -> Span<UInt8> {
    isString ? text.extracting((offset - 1)..<(offset + count + 1)) : text.extracting(range)
  }

  /// Of an integer that fits 64 bits.
  func integer(in text: Span<UInt8>) -> Int64? {
    guard kind == .integer else { return nil }
    return Int64(ascii: bytes(in: text))
  }
}

extension Int64 {
  /// Decimal digits with an optional minus sign; nil when they are anything else or do not fit.
  init?(ascii text: Span<UInt8>) {
    let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
    let firstDigit = isNegative ? 1 : 0
    guard text.count > firstDigit else { return nil }
    var number: Int64 = 0
    for index in firstDigit..<text.count {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carried) =
        isNegative ? tens.subtractingReportingOverflow(Int64(digit)) : tens.addingReportingOverflow(Int64(digit))
      if overflow || carried { return nil }
      number = sum
    }
    self = number
  }
}

extension Span<UInt8> {
  /// Whether the bytes are those of `text`.
  func equals(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in indices where unsafe text.utf8Start[index] != self[index] { return false }
    return true
  }

  func equals(_ bytes: [UInt8]) -> Bool { equals(bytes.span) }

  func equals(_ bytes: Span<UInt8>) -> Bool {
    guard count == bytes.count else { return false }
    for index in indices where self[index] != bytes[index] { return false }
    return true
  }
}
