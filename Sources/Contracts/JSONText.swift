internal import CSimdjson

/// The text of JSON strings, both ways.
package enum JSONText {
  /// Appends the text of what lies between the quotes of an escaped string; a lone surrogate becomes U+FFFD.
  package static func unescape(_ bytes: Span<UInt8>, into text: inout [UInt8]) {
    text += unsafe [UInt8](unsafeUninitializedCapacity: bytes.count) { target, count in
      count = unsafe bytes.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return 0 }
        return unsafe csimdjson_unescape(from, source.count, to)
      }
    }
  }

  /// Appends a JSON string with its quotes: `text` must be UTF-8.
  package static func appendString(_ text: Span<UInt8>, to json: inout [UInt8]) {
    json.append(UInt8(ascii: "\""))
    for index in text.indices {
      let byte = text[index]
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): json += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
      case UInt8(ascii: "\r"): json += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
      case UInt8(ascii: "\t"): json += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
      case 0..<0x20: json += [0x5c, 0x75, 0x30, 0x30, hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
      default: json.append(byte)
      }
    }
    json.append(UInt8(ascii: "\""))
  }

  package static func appendString(_ text: String, to json: inout [UInt8]) {
    appendString(Array(text.utf8).span, to: &json)
  }

  private static let hexadecimal = Array("0123456789abcdef".utf8)
}
