/// Writes protocol buffers (the wire format, proto3): what a message needs, field by field.
package struct ProtobufWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func varint(_ field: Int, _ number: UInt64) {
    guard number != 0 else { return }
    tag(field, 0)
    appendVarint(number)
  }

  package mutating func fixed64(_ field: Int, _ number: UInt64) {
    guard number != 0 else { return }
    tag(field, 1)
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  package mutating func fixed32(_ field: Int, _ number: UInt32) {
    guard number != 0 else { return }
    tag(field, 5)
    for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  package mutating func text(_ field: Int, _ text: String) {
    guard !text.isEmpty else { return }
    tag(field, 2)
    appendVarint(UInt64(text.utf8.count))
    bytes += text.utf8
  }

  /// Numbers front to back, the most significant byte first, as one field of bytes.
  package mutating func identifier(_ field: Int, _ numbers: UInt64...) {
    tag(field, 2)
    appendVarint(UInt64(numbers.count * 8))
    for number in numbers {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
      }
    }
  }

  /// A message, written also when it is empty: there is one.
  package mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    body(&inner)
    tag(field, 2)
    appendVarint(UInt64(inner.bytes.count))
    bytes += inner.bytes
  }

  /// A number of a `oneof`, written also when it is 0: that it is there says which one it is.
  package mutating func chosenVarint(_ field: Int, _ number: UInt64) {
    tag(field, 0)
    appendVarint(number)
  }

  /// Bytes that are the content of a field as they are.
  package mutating func raw(_ content: some Sequence<UInt8>) { bytes += content }

  private mutating func tag(_ field: Int, _ wireType: UInt64) { appendVarint(UInt64(field) << 3 | wireType) }

  private mutating func appendVarint(_ number: UInt64) {
    var rest = number
    while rest > 0x7f {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
