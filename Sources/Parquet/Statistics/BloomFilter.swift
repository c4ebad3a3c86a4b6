package import Columns
package import Core

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A split-block bloom filter (BloomFilter.md): says that a value is certainly not in a column chunk, or may be.
package struct ParquetBloomFilter: Sendable {
  private static let blockBytes = 32
  private static let salts: [UInt32] = [
    0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31,
  ]
  /// What a reader takes; the specification's own limit.
  static let maximumBytes = 128 << 20

  private var words: [UInt32]

  /// Room for so many distinct values with a probability of false answers, in a power of two of bytes.
  init(distinctCount: Int, falsePositives: Double, maximumBytes: Int) {
    let chance = min(max(falsePositives, 1e-6), 0.5)
    let bits = -8 * Double(distinctCount) / log(1 - pow(chance, 1.0 / 8))
    var bytes = Self.blockBytes
    while Double(bytes * 8) < bits, bytes * 2 <= maximumBytes { bytes *= 2 }
    words = Array(repeating: 0, count: bytes / 4)
  }

  init(bitset: [UInt8]) throws(ParquetFault) {
    guard !bitset.isEmpty, bitset.count % Self.blockBytes == 0 else {
      throw .corrupt("a bloom filter of \(bitset.count) bytes")
    }
    words = (0..<bitset.count / 4).map { index in
      (0..<4).reduce(0) { $0 | UInt32(bitset[4 * index + $1]) << UInt32(8 * $1) }
    }
  }

  mutating func insert(_ hash: UInt64) {
    let block = block(hash)
    for lane in 0..<8 { words[block + lane] |= Self.bit(hash, lane) }
  }

  func contains(_ hash: UInt64) -> Bool {
    let block = block(hash)
    return (0..<8).allSatisfy { words[block + $0] & Self.bit(hash, $0) != 0 }
  }

  private func block(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(words.count / 8)) >> 32) * 8
  }

  private static func bit(_ hash: UInt64, _ lane: Int) -> UInt32 {
    1 << ((UInt32(truncatingIfNeeded: hash) &* salts[lane]) >> 27)
  }

  /// Header and bits, as a file holds them.
  func encoded() -> [UInt8] {
    var writer = CompactWriter()
    writer.integer32(1, Int32(clamping: words.count * 4))
    writer.structure(2) { $0.structure(1) { _ in } }
    writer.structure(3) { $0.structure(1) { _ in } }
    writer.structure(4) { $0.structure(1) { _ in } }
    writer.end()
    var bytes = writer.bytes
    for word in words { for lane in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(8 * lane))) } }
    return bytes
  }
}

/// Hashes of the values that a bloom filter is to hold, until their number is known.
final class BloomHashes {
  private(set) var hashes: [UInt64] = []

  func removeAll() { hashes.removeAll(keepingCapacity: true) }

  /// - Parameter values: as they are stored; hashed in their PLAIN bytes, strings without a length.
  func append(_ rows: Range<Int>, of values: borrowing Column, _ leaf: ParquetLeaf) {
    switch values.type.storage {
    case .integers: for row in rows { hashes.append(Self.hash(values.integers[row], leaf)) }
    case .doubles: for row in rows { hashes.append(Self.hash(values.doubles[row], leaf)) }
    case .text:
      for row in rows {
        hashes.append(unsafe values.text.bytes[values.text.range(row)].withUnsafeBytes { unsafe XXHash64.hash($0) })
      }
    case .decimals: break
    }
  }

  static func hash(_ value: Int64, _ leaf: ParquetLeaf) -> UInt64 {
    leaf.physicalType == .int32 ? hash(of: Int32(truncatingIfNeeded: value)) : hash(of: value)
  }

  static func hash(_ value: Double, _ leaf: ParquetLeaf) -> UInt64 {
    leaf.physicalType == .float ? hash(of: Float(value).bitPattern) : hash(of: value.bitPattern)
  }

  private static func hash<Number: FixedWidthInteger>(of number: Number) -> UInt64 {
    unsafe withUnsafeBytes(of: number.littleEndian) { unsafe XXHash64.hash($0) }
  }
}

extension ParquetBloomFilter {
  /// Whether a string, a number or bytes may be among the chunk's values; true where it cannot be told.
  package func mayContain(_ value: Value, leaf: ParquetLeaf) -> Bool {
    switch (value, leaf.physicalType) {
    case (.integer(let value), .int32), (.integer(let value), .int64), (.date(let value), .int32):
      contains(BloomHashes.hash(value, leaf))
    case (.timestamp(let value), .int64) where leaf.logicalType == .timestamp(.microseconds, isUTC: true):
      contains(BloomHashes.hash(value, leaf))
    case (.double(let value), .float), (.double(let value), .double): contains(BloomHashes.hash(value, leaf))
    case (.string(let value), .byteArray):
      contains(unsafe Array(value.utf8).withUnsafeBytes { unsafe XXHash64.hash($0) })
    case (.bytes(let value), .byteArray): contains(unsafe value.withUnsafeBytes { unsafe XXHash64.hash($0) })
    default: true
    }
  }
}

extension ParquetFile {
  /// The bloom filter of a column chunk; nil if it has none.
  package func bloomFilter(
    of leaf: ParquetLeaf, rowGroup: Int, source: some ParquetSource
  ) throws(HeadraceError) -> ParquetBloomFilter? {
    let chunk = rowGroups[rowGroup].columns[leaf.index]
    guard let offset = chunk.bloomFilterOffset else { return nil }
    let place = "\(place): row group \(rowGroup), column \(leaf.name), bloom filter at byte \(offset)"
    guard offset < source.sizeBytes else { throw ParquetFault.corrupt("it lies outside of the file").error(at: place) }
    // The header is some 15 bytes; old files do not say how long the filter is.
    let head = try source.bytes(in: offset..<min(offset + 64, source.sizeBytes))
    do throws(ParquetFault) {
      var reader = unsafe CompactReader(head.span.bytes)
      let size = try Self.bloomSize(&reader)
      let start = offset + reader.position
      guard size <= ParquetBloomFilter.maximumBytes, size <= source.sizeBytes - start else {
        throw .corrupt("\(size) bytes")
      }
      do {
        return try ParquetBloomFilter(bitset: try source.bytes(in: start..<start + size))
      } catch let fault as ParquetFault {
        throw fault
      } catch {
        throw .corrupt("\(error)")
      }
    } catch {
      throw error.error(at: place)
    }
  }

  /// `BloomFilterHeader` of parquet.thrift.
  private static func bloomSize(_ reader: inout CompactReader) throws(ParquetFault) -> Int {
    var size = 0
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: size = try reader.size(field.type)
      case 2...4 where field.type == .structure:
        var choice: Int16 = 0
        while let only = try reader.nextField(after: &choice) {
          guard only.id == 1 else { throw .unsupported("a bloom filter of kind \(field.id).\(only.id)") }
          try reader.skip(only.type)
        }
      default: try reader.skip(field.type)
      }
    }
    return size
  }
}
