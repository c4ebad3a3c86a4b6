/// Which partition a record's key belongs to. Keyed state is only right while every producer agrees on this.
package enum Partitioner: String, Sendable, CaseIterable {
  /// The default of Java's producer: positive murmur2 of the key, modulo the partition count.
  case murmur2
  /// The `consistent` partitioner of librdkafka: CRC-32 of the key, modulo the partition count.
  case crc32

  /// - Parameter partitionCount: at least 1.
  /// - Returns: `0 ..< partitionCount`.
  package func partition(key: UnsafeRawBufferPointer, partitionCount: Int32) -> Int32 {
    let count = UInt32(max(partitionCount, 1))
    let hash =
      switch self {
      case .murmur2: unsafe Murmur2.hash(key) & 0x7fff_ffff
      case .crc32: unsafe CRC32.checksum(key)
      }
    return Int32(hash % count)
  }
}

/// MurmurHash2, 32 bit, with the seed that Apache Kafka's `Utils.murmur2` uses.
package enum Murmur2 {
  package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    let multiplier: UInt32 = 0x5bd1_e995
    var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: bytes.count)
    let wordsEnd = bytes.count & ~3
    var index = 0
    while index < wordsEnd {
      var word = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
      word = word &* multiplier
      word ^= word >> 24
      word = word &* multiplier
      hash = (hash &* multiplier) ^ word
      index += 4
    }
    let tail = bytes.count - wordsEnd
    if tail == 3 { hash ^= unsafe UInt32(bytes[wordsEnd + 2]) << 16 }
    if tail >= 2 { hash ^= unsafe UInt32(bytes[wordsEnd + 1]) << 8 }
    if tail >= 1 {
      hash ^= unsafe UInt32(bytes[wordsEnd])
      hash = hash &* multiplier
    }
    hash ^= hash >> 13
    hash = hash &* multiplier
    return hash ^ (hash >> 15)
  }
}

/// CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320), as zlib and librdkafka's partitioner compute it.
package enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0xedb8_8320 : value >> 1 }
  }

  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for index in bytes.indices {
      crc = table[Int((crc ^ UInt32(unsafe bytes[index])) & 0xff)] ^ (crc >> 8)
    }
    return ~crc
  }
}
