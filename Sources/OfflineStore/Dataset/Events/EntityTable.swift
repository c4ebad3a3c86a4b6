internal import Columns
internal import Core

/// The bytes that tell one entity from another: each part of the key behind its length, so that no two keys have the
/// same.
struct EntityKeyBytes {
  private(set) var bytes: [UInt8] = []

  /// - Returns: the hash of a row's key; nil where a part of it is null.
  mutating func encode(_ columns: borrowing [Column], _ parts: [Int], _ row: Int) -> UInt64? {
    bytes.removeAll(keepingCapacity: true)
    for part in parts {
      guard columns[part].isValid[row] else { return nil }
      switch columns[part].type.storage {
      case .integers: append(columns[part].integers[row])
      case .doubles: append(columns[part].doubles[row].bitPattern)
      case .decimals: append(columns[part].decimals[row])
      case .text:
        let range = columns[part].text.range(row)
        append(range.count)
        bytes.append(contentsOf: columns[part].text.bytes[range])
      }
    }
    return Hash64.hash(unsafe bytes.span.bytes)
  }

  private mutating func append<Number: FixedWidthInteger>(_ number: Number) {
    unsafe withUnsafeBytes(of: number) { unsafe bytes.append(contentsOf: $0) }
  }
}

/// The entities of a set of labels: a number for each key that occurs.
struct EntityTable {
  private var slots: [Int32] = []
  private var hashes: [UInt64] = []
  private var keys = TextBuffer()
  private var key = EntityKeyBytes()

  var count: Int { hashes.count }

  /// The number of a row's key, given to it if it has none yet; -1 where a part of it is null.
  mutating func insert(_ columns: borrowing [Column], _ parts: [Int], row: Int) -> Int {
    guard let hash = key.encode(columns, parts, row) else { return -1 }
    let known = find(hash)
    if known >= 0 { return known }
    if (count + 1) * 2 > slots.count { grow() }
    hashes.append(hash)
    let bytes = key.bytes
    keys.append(unsafe bytes.span.bytes)
    place(count - 1)
    return count - 1
  }

  /// The number of a row's key; -1 when no label has it.
  mutating func find(_ columns: borrowing [Column], _ parts: [Int], row: Int) -> Int {
    guard count > 0, let hash = key.encode(columns, parts, row) else { return -1 }
    return find(hash)
  }

  private func find(_ hash: UInt64) -> Int {
    guard !slots.isEmpty else { return -1 }
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let entity = Int(slots[slot]) - 1
      if hashes[entity] == hash, keys.bytes[keys.range(entity)].elementsEqual(key.bytes) { return entity }
      slot = (slot + 1) & (slots.count - 1)
    }
    return -1
  }

  private mutating func place(_ entity: Int) {
    var slot = Int(truncatingIfNeeded: hashes[entity]) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(clamping: entity + 1)
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: max(slots.count * 2, 64))
    for entity in hashes.indices { place(entity) }
  }
}
