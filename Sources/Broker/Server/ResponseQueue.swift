internal import NIOCore

/// Keeps the answers of one connection in the order of their requests, however late each one is ready.
struct ResponseQueue {
  /// The place of one request in its connection's order.
  struct Slot: Hashable, Sendable { let sequence: UInt64 }

  private enum Entry {
    case waiting
    /// Empty for a request that gets no answer (Produce with acks=0).
    case ready([ByteBuffer])
  }

  private var entries: [Entry] = []
  private var head = 0
  private var firstSequence: UInt64 = 0

  var inFlight: Int { entries.count - head }

  mutating func reserve() -> Slot {
    entries.append(.waiting)
    return Slot(sequence: firstSequence + UInt64(inFlight) - 1)
  }

  /// Fills a slot. A second answer for the same slot is ignored.
  mutating func complete(_ slot: Slot, with parts: [ByteBuffer]) {
    guard slot.sequence >= firstSequence, case let index = head + Int(slot.sequence - firstSequence),
      index < entries.count, case .waiting = entries[index]
    else { return }
    entries[index] = .ready(parts)
  }

  /// The next answer that may be sent, or nil while the oldest request has none.
  mutating func popReady() -> [ByteBuffer]? {
    guard head < entries.count, case .ready(let parts) = entries[head] else { return nil }
    entries[head] = .waiting
    head += 1
    firstSequence += 1
    if head == entries.count || head >= 256 {
      entries.removeSubrange(..<head)
      head = 0
    }
    return parts
  }
}
