/// Writes Thrift's compact protocol: fields of a structure in the order of their ids.
struct CompactWriter {
  private(set) var bytes: [UInt8] = []
  private var last: Int16 = 0

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    last = 0
  }

  mutating func boolean(_ id: Int16, _ value: Bool) { head(id, value ? .booleanTrue : .booleanFalse) }

  mutating func byte(_ id: Int16, _ value: Int8) {
    head(id, .byte)
    bytes.append(UInt8(bitPattern: value))
  }

  mutating func integer16(_ id: Int16, _ value: Int16) {
    head(id, .int16)
    zigzag(Int64(value))
  }

  mutating func integer32(_ id: Int16, _ value: Int32) {
    head(id, .int32)
    zigzag(Int64(value))
  }

  mutating func integer64(_ id: Int16, _ value: Int) {
    head(id, .int64)
    zigzag(Int64(value))
  }

  mutating func binary(_ id: Int16, _ value: [UInt8]) {
    head(id, .binary)
    element(value)
  }

  mutating func string(_ id: Int16, _ value: String) { binary(id, Array(value.utf8)) }

  mutating func structure(_ id: Int16, _ body: (inout CompactWriter) -> Void) {
    head(id, .structure)
    element(body)
  }

  /// The head of a list; its elements follow by the `element` that fits.
  mutating func list(_ id: Int16, of type: CompactType, count: Int) {
    head(id, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | type.rawValue)
    } else {
      bytes.append(0xf0 | type.rawValue)
      varint(UInt64(count))
    }
  }

  mutating func element(_ body: (inout CompactWriter) -> Void) {
    let outer = last
    last = 0
    body(&self)
    end()
    last = outer
  }

  mutating func element(_ value: [UInt8]) {
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func element(_ value: Int) { zigzag(Int64(value)) }

  mutating func element(_ value: Bool) { bytes.append(value ? 1 : 2) }

  /// Ends the outermost structure.
  mutating func end() { bytes.append(0) }

  private mutating func head(_ id: Int16, _ type: CompactType) {
    let delta = id - last
    if (1...15).contains(delta) {
      bytes.append(UInt8(delta) << 4 | type.rawValue)
    } else {
      bytes.append(type.rawValue)
      zigzag(Int64(id))
    }
    last = id
  }

  private mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
