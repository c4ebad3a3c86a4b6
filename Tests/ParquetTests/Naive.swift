import Core

@testable import Parquet

/// Encodings one bit at a time, by the letter of Encodings.md: oracles for the fast ones.
enum Naive {
  /// Numbers of `width` bits, the least significant bit first.
  static func packed(_ values: [UInt64], width: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (values.count * width + 7) / 8)
    for (index, value) in values.enumerated() {
      for bit in 0..<width where value >> UInt64(bit) & 1 == 1 {
        let place = index * width + bit
        bytes[place / 8] |= 1 << UInt8(place % 8)
      }
    }
    return bytes
  }

  static func unpacked(_ bytes: [UInt8], from start: Int, width: Int, count: Int) -> [UInt64] {
    (0..<count).map { index in
      (0..<width).reduce(0) { value, bit in
        let place = start * 8 + index * width + bit
        return value | UInt64(bytes[place / 8] >> UInt8(place % 8) & 1) << UInt64(bit)
      }
    }
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
  }

  static func readVarint(_ bytes: [UInt8], _ position: inout Int) -> UInt64 {
    let byte = bytes[position]
    position += 1
    return UInt64(byte & 0x7f) | (byte < 0x80 ? 0 : readVarint(bytes, &position) << 7)
  }

  static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

  /// The numbers of a hybrid of runs and packed groups.
  static func hybrid(_ bytes: [UInt8], width: Int, count: Int) -> [UInt64] {
    var values: [UInt64] = []
    var position = 0
    while values.count < count {
      let head = readVarint(bytes, &position)
      let number = Int(head >> 1)
      if head & 1 == 1 {
        values += unpacked(bytes, from: position, width: width, count: number * 8)
        position += number * width
      } else {
        let size = (width + 7) / 8
        let value = (0..<size).reduce(UInt64(0)) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
        values += Array(repeating: value, count: number)
        position += size
      }
    }
    return Array(values.prefix(count))
  }

  /// A random mixture of runs and packed groups that holds these numbers.
  static func randomHybrid(_ values: [UInt64], width: Int, _ generator: inout SplitMix64) -> [UInt8] {
    var bytes: [UInt8] = []
    var index = 0
    while index < values.count {
      let equal = values[index...].prefix { $0 == values[index] }.count
      if Bool.random(using: &generator) {
        let count = Int.random(in: 1...equal, using: &generator)
        bytes += varint(UInt64(count) << 1)
        bytes += (0..<(width + 7) / 8).map { UInt8(truncatingIfNeeded: values[index] >> UInt64(8 * $0)) }
        index += count
      } else {
        let groups = min(Int.random(in: 1...5, using: &generator), (values.count - index + 7) / 8)
        // Padding may only be at the end.
        let count = min(groups * 8, values.count - index)
        let padded = Array(values[index..<index + count]) + Array(repeating: 0, count: groups * 8 - count)
        bytes += varint(UInt64(groups) << 1 | 1) + packed(padded, width: width)
        index += count
      }
    }
    return bytes
  }

  /// DELTA_BINARY_PACKED with any shape of blocks; widths wider than needed now and then.
  static func delta(_ values: [Int64], blockCount: Int, miniblocks: Int, _ generator: inout SplitMix64) -> [UInt8] {
    var bytes = varint(UInt64(blockCount)) + varint(UInt64(miniblocks)) + varint(UInt64(values.count))
    bytes += varint(zigzag(values.first ?? 0))
    let deltas = zip(values.dropFirst(), values).map { $0 &- $1 }
    var start = 0
    while start < deltas.count {
      let block = Array(deltas[start..<min(start + blockCount, deltas.count)])
      let least = block.min() ?? 0
      bytes += varint(zigzag(least))
      let size = blockCount / miniblocks
      var widths: [UInt8] = []
      var bodies: [UInt8] = []
      for miniblock in 0..<miniblocks {
        let part = block.dropFirst(miniblock * size).prefix(size).map { UInt64(bitPattern: $0 &- least) }
        guard !part.isEmpty else {
          // Of a miniblock without values the width means nothing.
          widths.append(UInt8.random(in: 0...64, using: &generator))
          continue
        }
        let needed = UInt64.bitWidth - part.reduce(0, |).leadingZeroBitCount
        let width = min(64, needed + Int.random(in: 0...2, using: &generator))
        widths.append(UInt8(width))
        bodies += packed(part + Array(repeating: 0, count: size - part.count), width: width)
      }
      bytes += widths + bodies
      start += blockCount
    }
    return bytes
  }

  static func split(_ values: [[UInt8]]) -> [UInt8] {
    (0..<(values.first?.count ?? 0)).flatMap { stream in values.map { $0[stream] } }
  }
}

/// Bytes with the slack behind them that decoders count on.
final class PageBytes {
  private let buffer = PageBuffer()

  init(_ bytes: [UInt8]) { buffer.append(bytes) }

  var cursor: PageCursor { unsafe PageCursor(buffer.base, end: buffer.base + buffer.count) }

  /// Ends the lifetime of the bytes no sooner than here: cursors do not hold them.
  func keepAlive() { withExtendedLifetime(buffer) {} }

  static func array(_ write: (PageBuffer) -> Void) -> [UInt8] {
    let page = PageBuffer()
    write(page)
    return unsafe Array(page.bytes)
  }
}
