/// Reads TZif (RFC 9636): versions 2 and later, whose second block has 64-bit times and whose footer has the rule for
/// the time after them. Every read is checked: the file is somebody else's.
enum TimeZoneFile {
  static func rules(_ bytes: [UInt8]) -> ZoneRules? {
    guard let first = Header(bytes, at: 0), first.version >= UInt8(ascii: "2"),
      let second = Header(bytes, at: Header.size + first.bodySize(timeSize: 4))
    else { return nil }
    return rules(bytes, second)
  }

  private static func rules(_ bytes: [UInt8], _ header: Header) -> ZoneRules? {
    let times = header.start + Header.size
    let indexes = times + header.timeCount * 8
    let types = indexes + header.timeCount
    let footer = header.start + Header.size + header.bodySize(timeSize: 8)
    guard footer <= bytes.count, header.typeCount > 0 else { return nil }

    func offset(_ type: Int) -> Int64? {
      guard type < header.typeCount else { return nil }
      return Int64(Int32(truncatingIfNeeded: integer(bytes, at: types + type * 6, size: 4)))
    }
    guard let firstOffset = offset(0) else { return nil }
    var transitions: [(start: Int64, offset: Int64)] = []
    for index in 0..<header.timeCount {
      let start = integer(bytes, at: times + index * 8, size: 8)
      guard let offset = offset(Int(bytes[indexes + index])), transitions.last.map({ $0.start < start }) ?? true,
        abs(offset) < 26 * 3_600
      else { return nil }
      transitions.append((start, offset))
    }
    return ZoneRules(transitions: transitions, firstOffset: firstOffset, rule: rule(bytes, at: footer))
  }

  /// Between two line feeds; an empty one says that nothing is known: the last offset stays.
  private static func rule(_ bytes: [UInt8], at footer: Int) -> PosixZoneRule? {
    guard footer < bytes.count, bytes[footer] == 0x0a else { return nil }
    return PosixZoneRule(bytes[(footer + 1)...].prefix { $0 != 0x0a })
  }

  private struct Header {
    static let size = 44

    let start: Int
    let version: UInt8
    private let utcCount: Int
    private let standardCount: Int
    private let leapCount: Int
    let timeCount: Int
    let typeCount: Int
    private let nameBytes: Int

    init?(_ bytes: [UInt8], at start: Int) {
      guard start + Self.size <= bytes.count, bytes[start..<start + 4].elementsEqual("TZif".utf8) else { return nil }
      self.start = start
      version = bytes[start + 4]
      let counts = (0..<6).map { Int(UInt32(truncatingIfNeeded: integer(bytes, at: start + 20 + $0 * 4, size: 4))) }
      // No zone comes near it; products of larger counts would be sizes of no file.
      guard counts.allSatisfy({ $0 < 1 << 20 }) else { return nil }
      (utcCount, standardCount, leapCount) = (counts[0], counts[1], counts[2])
      (timeCount, typeCount, nameBytes) = (counts[3], counts[4], counts[5])
    }

    func bodySize(timeSize: Int) -> Int {
      timeCount * (timeSize + 1) + typeCount * 6 + nameBytes + leapCount * (timeSize + 4) + standardCount + utcCount
    }
  }

  /// Big-endian. The caller has checked that the bytes are there.
  private static func integer(_ bytes: [UInt8], at offset: Int, size: Int) -> Int64 {
    bytes[offset..<offset + size].reduce(0) { $0 << 8 | Int64($1) }
  }
}
