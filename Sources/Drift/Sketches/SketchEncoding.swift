internal import Core

/// Bytes of sketches: what state rows and tables hold.
///
/// Little-endian. The first byte says what it is, the second one the version of the form. Counts are unsigned LEB128,
/// signed numbers zigzag, doubles their 8 bytes. A sketch has one form only: equal sketches have equal bytes.
struct SketchWriter {
  private(set) var bytes: [UInt8]

  init(_ kind: SketchKind, version: UInt8 = 1) { bytes = [kind.rawValue, version] }

  mutating func append(byte: UInt8) { bytes.append(byte) }

  mutating func append(count: Int) { append(UInt64(count)) }

  mutating func append(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func append(signed value: Int64) {
    append(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  mutating func append(_ value: Double) {
    var bits = value.bitPattern
    for _ in 0..<8 {
      bytes.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
    }
  }

  mutating func append(_ text: some Collection<UInt8>) {
    append(count: text.count)
    bytes.append(contentsOf: text)
  }
}

enum SketchKind: UInt8 {
  case quantiles = 1
  case distinct = 2
  case categories = 3
  case moments = 4
  case numericProfile = 5
  case binaryScores = 6
  case regression = 7
}

/// What can be wrong with the bytes of a sketch. They come from disk: nothing in them is believed.
enum SketchFault: Error {
  case endsEarly(wanted: Int, left: Int)
  case anotherKind(found: UInt8, expected: SketchKind)
  case unknownVersion(UInt8)
  case notCanonical(String)
  case bytesLeft(Int)

  var error: HeadraceError {
    let message =
      switch self {
      case .endsEarly(let wanted, let left): "a sketch ends early: \(wanted) more bytes expected, \(left) left"
      case .anotherKind(let found, let expected): "a sketch of kind \(found) where \(expected) was expected"
      case .unknownVersion(let version): "version \(version) of a sketch's form; this program reads version 1"
      case .notCanonical(let what): "a sketch that no data has: \(what)"
      case .bytesLeft(let count): "\(count) bytes behind the end of a sketch"
      }
    return HeadraceError(
      .external, "SKETCH_DAMAGED", message, remedy: "rebuild the profile from its table or topic")
  }
}

/// Checked reads; no count is believed before the bytes for it are there.
struct SketchReader {
  private let bytes: ArraySlice<UInt8>
  private var place: Int

  init(_ bytes: ArraySlice<UInt8>, _ kind: SketchKind) throws(SketchFault) {
    self.bytes = bytes
    place = bytes.startIndex
    let found = try byte()
    guard found == kind.rawValue else { throw .anotherKind(found: found, expected: kind) }
    let version = try byte()
    guard version == 1 else { throw .unknownVersion(version) }
  }

  private var left: Int { bytes.endIndex - place }

  mutating func byte() throws(SketchFault) -> UInt8 {
    guard left > 0 else { throw .endsEarly(wanted: 1, left: 0) }
    defer { place += 1 }
    return bytes[place]
  }

  mutating func unsigned() throws(SketchFault) -> UInt64 {
    var (value, shift) = (0 as UInt64, 0 as UInt64)
    while true {
      let next = try byte()
      guard shift < 63 || next <= 1 else { throw .notCanonical("a number above 64 bits") }
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 {
        guard next != 0 || shift == 0 else { throw .notCanonical("a number with leading zeros") }
        return value
      }
      shift += 7
    }
  }

  /// A count of values, up to 2^56: sums of some of them do not overflow.
  mutating func count() throws(SketchFault) -> Int {
    let value = try unsigned()
    guard value <= 1 << 56 else { throw .notCanonical("a count of \(value)") }
    return Int(value)
  }

  /// A count of elements that follow and take at least `bytesEach` bytes.
  mutating func elementCount(bytesEach: Int) throws(SketchFault) -> Int {
    let value = try unsigned()
    guard value <= UInt64(left / bytesEach) else {
      throw .endsEarly(wanted: Int(clamping: value), left: left)
    }
    return Int(value)
  }

  mutating func signed() throws(SketchFault) -> Int64 {
    let value = try unsigned()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  mutating func double() throws(SketchFault) -> Double {
    guard left >= 8 else { throw .endsEarly(wanted: 8, left: left) }
    var bits = 0 as UInt64
    for offset in (0..<8).reversed() { bits = bits << 8 | UInt64(bytes[place + offset]) }
    place += 8
    return Double(bitPattern: bits)
  }

  mutating func text() throws(SketchFault) -> ArraySlice<UInt8> {
    let count = try elementCount(bytesEach: 1)
    defer { place += count }
    return bytes[place..<place + count]
  }

  func finish() throws(SketchFault) {
    guard left == 0 else { throw .bytesLeft(left) }
  }
}

extension HeadraceError {
  /// Runs a decoder and turns its fault into the error of the module's edge.
  static func decoding<Sketch>(_ body: () throws(SketchFault) -> Sketch) throws(HeadraceError) -> Sketch {
    do { return try body() } catch { throw error.error }
  }
}
