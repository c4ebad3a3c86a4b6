/// The text of JSON strings, both ways.
package enum JSONText {
  /// Appends a JSON string with its quotes: `text` must be UTF-8.
  package static func appendString(_ text: Span<UInt8>, to json: inout [UInt8]) {
    json.append(UInt8(ascii: "\""))
    // What needs no escape, which is nearly everything, is copied run by run.
    var runStart = 0
    for index in text.indices where needsEscape(text[index]) {
      append(text.extracting(runStart..<index), to: &json)
      appendEscape(of: text[index], to: &json)
      runStart = index + 1
    }
    append(text.extracting(runStart..<text.count), to: &json)
    json.append(UInt8(ascii: "\""))
  }

  package static func appendString(_ text: String, to json: inout [UInt8]) {
    var text = text
    text.withUTF8 { bytes in
      unsafe appendString(Span(_unsafeElements: bytes), to: &json)
    }
  }

  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  static func append(_ run: Span<UInt8>, to json: inout [UInt8]) {
    unsafe run.withUnsafeBufferPointer { unsafe json.append(contentsOf: $0) }
  }

  private static func appendEscape(of byte: UInt8, to json: inout [UInt8]) {
    json.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\n"): json.append(UInt8(ascii: "n"))
    case UInt8(ascii: "\r"): json.append(UInt8(ascii: "r"))
    case UInt8(ascii: "\t"): json.append(UInt8(ascii: "t"))
    case 0..<0x20: json += [0x75, 0x30, 0x30, hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
    default: json.append(byte)
    }
  }

  private static let hexadecimal = Array("0123456789abcdef".utf8)
}
