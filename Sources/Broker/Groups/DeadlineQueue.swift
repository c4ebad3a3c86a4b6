/// Which deadline is due next, for deadlines that move often and fire seldom.
///
/// A heartbeat only moves a member's own deadline; the queue keeps the earlier time, wakes the owner then, and the
/// owner arms again for what is left. So a heartbeat costs no heap operation, and a wake-up may come early but never
/// late.
struct DeadlineQueue<Key: Hashable & Sendable>: Sendable {
  private struct Entry: Sendable {
    var milliseconds: Int64
    /// Breaks ties by the order of arming: equal runs give equal results.
    var sequence: UInt64
    var key: Key

    func isBefore(_ other: Entry) -> Bool {
      (milliseconds, sequence) < (other.milliseconds, other.sequence)
    }
  }

  private struct Armed: Sendable {
    var milliseconds: Int64
    var sequence: UInt64
  }

  private var heap: [Entry] = []
  /// The entry of the heap that counts, for each key; others of that key are stale and are skipped when they surface.
  private var armed: [Key: Armed] = [:]
  private var nextSequence: UInt64 = 0

  /// The time of the next wake-up, which may turn out to be a stale one.
  var nextMilliseconds: Int64? { heap.first?.milliseconds }

  /// Entries in the heap, the stale ones too.
  var entryCount: Int { heap.count }

  /// Wakes the owner of `key` at `milliseconds` or earlier.
  mutating func arm(_ key: Key, at milliseconds: Int64) {
    if let current = armed[key], current.milliseconds <= milliseconds { return }
    armed[key] = Armed(milliseconds: milliseconds, sequence: nextSequence)
    push(Entry(milliseconds: milliseconds, sequence: nextSequence, key: key))
    nextSequence += 1
  }

  /// Drops the wake-up of `key`, whose owner is gone.
  mutating func forget(_ key: Key) {
    armed[key] = nil
    dropStaleEntriesIfMany()
  }

  /// Removes and returns the next key that is due; its owner arms again if its own deadline has moved.
  mutating func popDue(_ nowMilliseconds: Int64) -> Key? {
    while let first = heap.first, first.milliseconds <= nowMilliseconds {
      popFirst()
      guard armed[first.key]?.sequence == first.sequence else { continue }
      armed[first.key] = nil
      return first.key
    }
    return nil
  }

  /// Members that come and go would otherwise leave their entries behind until their distant deadlines.
  private mutating func dropStaleEntriesIfMany() {
    guard heap.count > 2 * armed.count + 64 else { return }
    heap = heap.filter { armed[$0.key]?.sequence == $0.sequence }
    for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(from: index) }
  }

  private mutating func push(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].isBefore(heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func popFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    siftDown(from: 0)
  }

  private mutating func siftDown(from start: Int) {
    var parent = start
    while true {
      var first = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[first]) {
        first = child
      }
      guard first != parent else { return }
      heap.swapAt(parent, first)
      parent = first
    }
  }
}
