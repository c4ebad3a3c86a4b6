internal import Core

/// Walks over the fields of one protobuf message. Values are read where they lie; nothing is built that the caller does
/// not ask for.
struct ProtobufReader {
  struct Field {
    var number: Int
    var payload: Payload
    /// Where its value begins in the file.
    var offset: Int
  }

  enum Payload {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(Range<Int>)
  }

  let file: [UInt8]
  private var position: Int
  private let end: Int

  init(_ file: [UInt8], _ range: Range<Int>) {
    self.file = file
    position = range.lowerBound
    end = range.upperBound
  }

  static func fault(_ message: String, at offset: Int) -> HeadraceError {
    ModelFault.unreadable("ONNX: \(message)", place: "byte \(offset)")
  }

  mutating func next() throws(HeadraceError) -> Field? {
    guard position < end else { return nil }
    let key = try varint()
    let start = position
    guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw Self.fault("a field without a number", at: start) }
    let number = Int(key >> 3)
    switch key & 7 {
    case 0: return Field(number: number, payload: .varint(try varint()), offset: start)
    case 1: return Field(number: number, payload: .fixed64(try littleEndian(8)), offset: start)
    case 5:
      return Field(number: number, payload: .fixed32(UInt32(truncatingIfNeeded: try littleEndian(4))), offset: start)
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else { throw Self.fault("a field of \(length) bytes", at: start) }
      let range = position..<position + Int(length)
      position = range.upperBound
      return Field(number: number, payload: .bytes(range), offset: range.lowerBound)
    default: throw Self.fault("wire type \(key & 7)", at: start)
    }
  }

  private mutating func varint() throws(HeadraceError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      guard position < end else { throw Self.fault("ends in the middle of a number", at: position) }
      let byte = file[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Self.fault("a number of more than ten bytes", at: position)
  }

  private mutating func littleEndian(_ count: Int) throws(HeadraceError) -> UInt64 {
    guard count <= end - position else { throw Self.fault("ends in the middle of a number", at: position) }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(file[position + index]) << UInt64(8 * index) }
    position += count
    return value
  }
}

extension ProtobufReader.Field {
  func integer() throws(HeadraceError) -> Int {
    guard case .varint(let bits) = payload else { throw wrong("an integer") }
    return Int(Int64(bitPattern: bits))
  }

  func float() throws(HeadraceError) -> Float {
    guard case .fixed32(let bits) = payload else { throw wrong("a float") }
    return Float(bitPattern: bits)
  }

  func range() throws(HeadraceError) -> Range<Int> {
    guard case .bytes(let range) = payload else { throw wrong("bytes") }
    return range
  }

  func text(_ file: [UInt8]) throws(HeadraceError) -> String {
    String(decoding: file[try range()], as: UTF8.self)
  }

  /// One value of a repeated field, or many of them packed.
  func appendFloats(_ file: [UInt8], to floats: inout [Float]) throws(HeadraceError) {
    guard case .bytes(let range) = payload else { return floats.append(try float()) }
    guard range.count % 4 == 0 else { throw wrong("packed floats") }
    floats.reserveCapacity(floats.count + range.count / 4)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(file[start + $1]) << UInt32(8 * $1) }
      floats.append(Float(bitPattern: bits))
    }
  }

  func appendDoubles(_ file: [UInt8], to doubles: inout [Double]) throws(HeadraceError) {
    if case .fixed64(let bits) = payload { return doubles.append(Double(bitPattern: bits)) }
    let range = try range()
    guard range.count % 8 == 0 else { throw wrong("packed doubles") }
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
      let bits = (0..<8).reduce(UInt64(0)) { $0 | UInt64(file[start + $1]) << UInt64(8 * $1) }
      doubles.append(Double(bitPattern: bits))
    }
  }

  func appendIntegers(_ file: [UInt8], to integers: inout [Int]) throws(HeadraceError) {
    guard case .bytes(let range) = payload else { return integers.append(try integer()) }
    var index = range.lowerBound
    while index < range.upperBound {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while true {
        guard index < range.upperBound, shift < 64 else { throw wrong("packed integers") }
        let byte = file[index]
        index += 1
        value |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 { break }
        shift += 7
      }
      integers.append(Int(Int64(bitPattern: value)))
    }
  }

  private func wrong(_ expected: String) -> HeadraceError {
    ProtobufReader.fault("field \(number) is not \(expected)", at: offset)
  }
}
