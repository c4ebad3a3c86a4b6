/// The characters of one number on the stack: `description` would allocate a string for those that need many digits.
///
///     var digits = NumberDigits()
///     number.write(to: &digits)
package struct NumberDigits: TextOutputStream {
  /// The longest double, `-2.2250738585072014e-308`, has 24.
  package private(set) var bytes = InlineArray<32, UInt8>(repeating: 0)
  package private(set) var count = 0

  package init() {}

  package mutating func write(_ string: String) {
    for byte in string.utf8 { append(byte) }
  }

  /// What the standard library calls with the digits of numbers.
  package mutating func _writeASCII(_ buffer: UnsafeBufferPointer<UInt8>) {
    for index in buffer.indices { unsafe append(buffer[index]) }
  }

  private mutating func append(_ byte: UInt8) {
    guard count < 32 else { return }
    bytes[count] = byte
    count += 1
  }
}
