/// Which entities have labels, by the hash of their keys, and when the last one is: events of others are not worth
/// keeping. A hash that two keys share keeps an event too many, which does no harm.
struct EntityFilter: Sendable {
  /// 0: free. Nearly full tables are slow, so half of it stays free.
  private var hashes: [UInt64]
  private var lastMilliseconds: [Int64]
  private(set) var count = 0
  /// Beyond it there is no filter any more: everything passes.
  private let countMax: Int
  private(set) var isOverflown = false

  init(bytesMax: Int) {
    hashes = [UInt64](repeating: 0, count: 64)
    lastMilliseconds = [Int64](repeating: .min, count: 64)
    countMax = max(bytesMax / 64, 1_024)
  }

  mutating func insert(_ hash: UInt64, timeMilliseconds: Int64) {
    guard !isOverflown else { return }
    let slot = slot(of: hash)
    lastMilliseconds[slot] = max(lastMilliseconds[slot], timeMilliseconds)
    guard hashes[slot] == 0 else { return }
    hashes[slot] = max(hash, 1)
    count += 1
    if count > countMax {
      isOverflown = true
      (hashes, lastMilliseconds) = ([], [])
    } else if count * 2 > hashes.count {
      grow()
    }
  }

  /// Whether a label of the entity is at that time or after it.
  func passes(_ hash: UInt64, countsFrom milliseconds: Int64) -> Bool {
    guard !isOverflown else { return true }
    let slot = slot(of: hash)
    return hashes[slot] != 0 && milliseconds <= lastMilliseconds[slot]
  }

  private func slot(of hash: UInt64) -> Int {
    let wanted = max(hash, 1)
    var slot = Int(truncatingIfNeeded: wanted) & (hashes.count - 1)
    while hashes[slot] != 0, hashes[slot] != wanted { slot = (slot + 1) & (hashes.count - 1) }
    return slot
  }

  private mutating func grow() {
    let (old, times) = (hashes, lastMilliseconds)
    hashes = [UInt64](repeating: 0, count: old.count * 2)
    lastMilliseconds = [Int64](repeating: .min, count: old.count * 2)
    for (index, hash) in old.enumerated() where hash != 0 {
      let slot = slot(of: hash)
      (hashes[slot], lastMilliseconds[slot]) = (hash, times[index])
    }
  }
}
