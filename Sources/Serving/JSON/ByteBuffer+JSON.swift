internal import Core
internal import NIOCore

/// JSON written straight into the bytes of an answer.
extension ByteBuffer {
  mutating func write(_ text: StaticString) { writeStaticString(text) }

  mutating func write(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { _ = unsafe writeBytes($0) }
  }

  mutating func writeDecimal(_ number: Int64) {
    // 20 characters hold every 64-bit integer with its sign.
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    var start = 20
    var rest = number.magnitude
    repeat {
      start -= 1
      digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    if number < 0 {
      start -= 1
      digits[start] = UInt8(ascii: "-")
    }
    write(digits.span.extracting(start..<20))
  }

  /// The shortest digits that read back as the same number, always with a point or an exponent, so that readers that
  /// go by the looks of a number see a double. Feast's spelling of what JSON cannot say: `"NaN"`, `"Infinity"`.
  mutating func writeDouble(_ number: Double) {
    guard number.isFinite else {
      write(number.isNaN ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"")
      return
    }
    var text = NumberDigits()
    number.write(to: &text)
    write(text.bytes.span.extracting(first: text.count))
  }

  /// Appends once more what stands there already.
  mutating func repeatText(_ range: Range<Int>) {
    reserveCapacity(minimumWritableBytes: range.count)
    guard let copied = try? copyBytes(at: range.lowerBound, to: writerIndex, length: range.count) else { return }
    moveWriterIndex(forwardBy: copied)
  }

  /// A string with its quotes.
  mutating func writeQuoted(_ text: Span<UInt8>) {
    writeInteger(UInt8(ascii: "\""))
    var runStart = 0
    for index in text.indices where text[index] < 0x20 || text[index] == 0x22 || text[index] == 0x5c {
      write(text.extracting(runStart..<index))
      writeEscape(of: text[index])
      runStart = index + 1
    }
    write(text.extracting(runStart..<text.count))
    writeInteger(UInt8(ascii: "\""))
  }

  mutating func writeQuoted(_ text: String) {
    var text = text
    text.withUTF8 { unsafe writeQuoted(Span(_unsafeElements: $0)) }
  }

  private mutating func writeEscape(of byte: UInt8) {
    switch byte {
    case 0x22: write("\\\"")
    case 0x5c: write("\\\\")
    case 0x0a: write("\\n")
    case 0x0d: write("\\r")
    case 0x09: write("\\t")
    default:
      write("\\u00")
      writeInteger(Self.hexadecimal(byte >> 4))
      writeInteger(Self.hexadecimal(byte & 15))
    }
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }
}
