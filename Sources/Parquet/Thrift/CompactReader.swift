/// Reads Thrift's compact protocol. Every length is held against the bytes that are there before it is used.
///
/// A structure is read by a loop over `nextField(after:)`; what the loop does not know it skips.
struct CompactReader: ~Escapable {
  /// Parquet's own structures nest less than ten deep; unknown ones are skipped up to here.
  private static let maximumDepth = 32

  private let bytes: RawSpan
  private(set) var position = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  private var remaining: Int { bytes.byteCount &- position }

  /// The next field's head; nil at the structure's end.
  mutating func nextField(after last: inout Int16) throws(ParquetFault) -> CompactField? {
    let head = try byte()
    guard let type = CompactType(rawValue: head & 0x0f) else { throw broken("wire type \(head & 0x0f)") }
    guard type != .stop else {
      guard head == 0 else { throw broken("a field head of \(head)") }
      return nil
    }
    let delta = Int16(head >> 4)
    if delta == 0 {
      last = Int16(truncatingIfNeeded: try zigzag())
    } else {
      let (id, overflows) = last.addingReportingOverflow(delta)
      guard !overflows else { throw broken("a field behind 32767") }
      last = id
    }
    return CompactField(id: last, type: type)
  }

  mutating func integer(_ type: CompactType) throws(ParquetFault) -> Int64 {
    switch type {
    case .byte: return Int64(Int8(bitPattern: try byte()))
    case .int16, .int32, .int64: return try zigzag()
    default: throw broken("\(type) instead of a number")
    }
  }

  mutating func integer32(_ type: CompactType) throws(ParquetFault) -> Int32 {
    let value = try integer(type)
    guard let narrow = Int32(exactly: value) else { throw broken("\(value) where 32 bits are meant") }
    return narrow
  }

  /// A number that counts or measures something.
  mutating func size(_ type: CompactType) throws(ParquetFault) -> Int {
    let value = try integer(type)
    guard value >= 0 else { throw broken("a size of \(value)") }
    return Int(value)
  }

  func boolean(_ type: CompactType) throws(ParquetFault) -> Bool {
    switch type {
    case .booleanTrue: return true
    case .booleanFalse: return false
    default: throw broken("\(type) instead of a boolean")
    }
  }

  mutating func binary(_ type: CompactType) throws(ParquetFault) -> [UInt8] {
    let range = try binaryRange(type)
    return unsafe bytes.extracting(range).withUnsafeBytes { unsafe [UInt8]($0) }
  }

  mutating func string(_ type: CompactType) throws(ParquetFault) -> String {
    let range = try binaryRange(type)
    return unsafe bytes.extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  private mutating func binaryRange(_ type: CompactType) throws(ParquetFault) -> Range<Int> {
    guard type == .binary else { throw broken("\(type) instead of bytes") }
    let count = try count(of: "bytes")
    let start = position
    position &+= count
    return start..<position
  }

  /// The head of a list: how many elements follow, which is no more than there are bytes.
  mutating func list(_ type: CompactType) throws(ParquetFault) -> (count: Int, element: CompactType) {
    guard type == .list || type == .set else { throw broken("\(type) instead of a list") }
    let head = try byte()
    guard let element = CompactType(rawValue: head & 0x0f), element != .stop else {
      throw broken("a list of wire type \(head & 0x0f)")
    }
    let short = Int(head >> 4)
    guard short == 15 else {
      guard short <= remaining else { throw broken("a list of \(short) elements in \(remaining) bytes") }
      return (short, element)
    }
    return (try count(of: "elements"), element)
  }

  /// An element of a list of booleans is a byte of its own: 1 is true.
  mutating func listBoolean() throws(ParquetFault) -> Bool { try byte() == 1 }

  /// Passes over a value that nobody asked for.
  mutating func skip(_ type: CompactType, depth: Int = 0) throws(ParquetFault) {
    guard depth < Self.maximumDepth else { throw broken("more than \(Self.maximumDepth) levels of structures") }
    switch type {
    case .stop: throw broken("an end where a value is meant")
    case .booleanTrue, .booleanFalse: return
    case .byte: _ = try byte()
    case .int16, .int32, .int64: _ = try zigzag()
    case .double: try advance(8)
    case .uuid: try advance(16)
    case .binary: _ = try binaryRange(.binary)
    case .list, .set:
      let (count, element) = try list(type)
      for _ in 0..<count { try skipElement(element, depth: depth) }
    case .map:
      let count = try count(of: "entries")
      guard count > 0 else { return }
      let types = try byte()
      guard let key = CompactType(rawValue: types >> 4), let value = CompactType(rawValue: types & 0x0f) else {
        throw broken("a map of wire types \(types)")
      }
      for _ in 0..<count {
        try skipElement(key, depth: depth)
        try skipElement(value, depth: depth)
      }
    case .structure:
      var last: Int16 = 0
      while let field = try nextField(after: &last) { try skip(field.type, depth: depth + 1) }
    }
  }

  private mutating func skipElement(_ type: CompactType, depth: Int) throws(ParquetFault) {
    switch type {
    case .booleanTrue, .booleanFalse: _ = try byte()
    default: try skip(type, depth: depth + 1)
    }
  }

  private mutating func count(of what: String) throws(ParquetFault) -> Int {
    let value = try varint()
    guard value <= UInt64(remaining) else { throw broken("\(value) \(what) where \(remaining) bytes are left") }
    return Int(value)
  }

  private mutating func zigzag() throws(ParquetFault) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  private mutating func varint() throws(ParquetFault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      guard shift < 63 || next <= 1 else { throw broken("a number of more than 64 bits") }
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return value }
      shift &+= 7
    }
  }

  private mutating func byte() throws(ParquetFault) -> UInt8 {
    guard position < bytes.byteCount else { throw .endOfMetadata }
    defer { position &+= 1 }
    return unsafe bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
  }

  private mutating func advance(_ count: Int) throws(ParquetFault) {
    guard count <= remaining else { throw .endOfMetadata }
    position &+= count
  }

  func broken(_ what: String) -> ParquetFault { .corrupt("\(what) at byte \(position) of the metadata") }
}

extension ParquetFault {
  /// The bytes end inside of a structure: of a page header, more of them may help.
  static let endOfMetadata = ParquetFault.corrupt("the metadata ends inside of a structure")
}
