internal import Columns
internal import NIOCore

extension ByteBuffer {
  /// A value as Feast's JSON has it: doubles with a point, timestamps as whole seconds, bytes in base64. Null for an
  /// empty list, on which Feast's client fails.
  mutating func writeValue(_ value: Value) {
    switch value {
    case .null: write("null")
    case .boolean(let flag): write(flag ? "true" : "false")
    case .integer(let number): writeDecimal(number)
    case .double(let number): writeDouble(number)
    case .string(let text): writeQuoted(text)
    case .bytes(let bytes): writeBase64(bytes)
    case .timestamp(let microseconds): writeDecimal(microseconds.dividedDown(by: 1_000_000).quotient)
    case .date(let days):
      write("\"")
      writeDate(days: days)
      write("\"")
    case .decimal(let unscaled, let scale): writeDecimal(unscaled: unscaled, scale: scale)
    case .list(let values):
      guard !values.isEmpty else { return write("null") }
      write("[")
      for (index, value) in values.enumerated() {
        if index > 0 { write(",") }
        writeValue(value)
      }
      write("]")
    }
  }

  /// As text, because a reader's doubles would round it.
  private mutating func writeDecimal(unscaled: Int128, scale: Int) {
    let digits = String(unscaled.magnitude)
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.utf8.count)) + digits
    write(unscaled < 0 ? "\"-" : "\"")
    writeString(String(padded.dropLast(scale)))
    if scale > 0 {
      write(".")
      writeString(String(padded.suffix(scale)))
    }
    write("\"")
  }

  private mutating func writeBase64(_ bytes: [UInt8]) {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    write("\"")
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let rest = bytes[start..<min(start + 3, bytes.count)]
      var group: UInt32 = 0
      for byte in rest { group = group << 8 | UInt32(byte) }
      group <<= 8 * UInt32(3 - rest.count)
      for position in 0..<4 {
        let digit = alphabet[Int(group >> (18 - 6 * UInt32(position)) & 63)]
        writeInteger(position <= rest.count ? digit : UInt8(ascii: "="))
      }
    }
    write("\"")
  }
}
