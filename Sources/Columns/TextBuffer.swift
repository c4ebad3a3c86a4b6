/// Byte strings that lie one after the other.
package struct TextBuffer: Sendable {
  package internal(set) var bytes: [UInt8] = []
  /// Where each string ends in `bytes`; it begins where the one before it ends.
  package internal(set) var ends: [Int] = []

  package init() {}

  package var count: Int { ends.count }

  package mutating func reserveCapacity(_ rows: Int) { ends.reserveCapacity(rows) }

  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  package mutating func appendEmpty() { ends.append(bytes.count) }

  @inline(__always)
  package mutating func append(_ value: borrowing RawSpan) {
    unsafe value.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    ends.append(bytes.count)
  }

  package mutating func append(_ value: String) {
    bytes.append(contentsOf: value.utf8)
    ends.append(bytes.count)
  }

  @inline(__always)
  package func range(_ row: Int) -> Range<Int> {
    unsafe Range(uncheckedBounds: (lower: row == 0 ? 0 : ends[row - 1], upper: ends[row]))
  }

  /// The bytes of a row.
  @inline(__always)
  package subscript(row: Int) -> RawSpan {
    @_lifetime(borrow self)
    get {
      let range = range(row)
      return unsafe bytes.span.bytes.extracting(range)
    }
  }

  package func string(_ row: Int) -> String { String(decoding: bytes[range(row)], as: UTF8.self) }
}
