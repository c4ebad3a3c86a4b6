internal import Core

/// Times by 128-bit hash: open addressing in one array that doubles, nothing is ever removed. 24 bytes for a place.
@safe
struct HashTimes: ~Copyable {
  struct Entry {
    var hash: Hash128
    var time: Int64
  }

  /// No event has it: epoch milliseconds come from a sane range.
  private static let emptyTime = Int64.min
  private var places: UnsafeMutableBufferPointer<Entry>
  private(set) var count = 0
  private(set) var newestTime = Int64.min

  init() { unsafe places = Self.emptyPlaces(256) }

  deinit { unsafe places.deallocate() }

  var sizeBytes: Int { unsafe places.count * MemoryLayout<Entry>.stride }

  func time(of hash: Hash128) -> Int64? {
    let entry = unsafe places[position(of: hash)]
    return entry.time == Self.emptyTime ? nil : entry.time
  }

  /// Reads the place where a hash is looked for first. Before the lookups of many: none of these waits for another.
  @inline(__always)
  func touch(_ hash: Hash128) -> Int64 { unsafe places[Int(truncatingIfNeeded: hash.low) & (places.count - 1)].time }

  mutating func set(_ hash: Hash128, _ time: Int64) {
    let clamped = max(time, Self.emptyTime + 1)
    var position = position(of: hash)
    if unsafe places[position].time == Self.emptyTime {
      if unsafe (count + 1) * 3 > places.count * 2 {
        grow()
        position = self.position(of: hash)
      }
      count += 1
    }
    unsafe places[position] = Entry(hash: hash, time: clamped)
    newestTime = max(newestTime, clamped)
  }

  /// Where the hash is, or would be.
  @inline(__always)
  private func position(of hash: Hash128) -> Int {
    let mask = unsafe places.count - 1
    var position = Int(truncatingIfNeeded: hash.low) & mask
    while true {
      let entry = unsafe places[position]
      if entry.time == Self.emptyTime || entry.hash == hash { return position }
      position = (position + 1) & mask
    }
  }

  private mutating func grow() {
    let old = unsafe places
    unsafe places = Self.emptyPlaces(old.count * 2)
    for index in old.indices {
      let entry = unsafe old[index]
      if entry.time != Self.emptyTime { unsafe places[position(of: entry.hash)] = entry }
    }
    unsafe old.deallocate()
  }

  private static func emptyPlaces(_ count: Int) -> UnsafeMutableBufferPointer<Entry> {
    let places = UnsafeMutableBufferPointer<Entry>.allocate(capacity: count)
    unsafe places.initialize(repeating: Entry(hash: Hash128(high: 0, low: 0), time: emptyTime))
    return unsafe places
  }
}
