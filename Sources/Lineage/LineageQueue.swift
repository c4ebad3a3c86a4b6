internal import Synchronization

/// Events on their way out. Bounded, and nobody waits: what finds it full is dropped and counted.
package final class LineageQueue: Sendable {
  private struct State {
    var waiting: [LineageEvent] = []
    var counts = Counts()
  }

  package struct Counts: Sendable, Equatable {
    package var waiting = 0
    /// There was no room for them.
    package var dropped: Int64 = 0
    package var sent: Int64 = 0
    /// Nobody took them.
    package var failed: Int64 = 0
  }

  private let state = Mutex(State())
  private let capacity: Int

  package init(capacity: Int = 1_024) { self.capacity = capacity }

  /// Any thread.
  package func offer(_ event: LineageEvent) {
    state.withLock { state in
      if state.waiting.count < capacity { state.waiting.append(event) } else { state.counts.dropped += 1 }
    }
  }

  /// The oldest event; it stays until it is known what became of it.
  package var first: LineageEvent? { state.withLock { $0.waiting.first } }

  /// What became of the oldest one.
  package func removeFirst(wasSent: Bool) {
    state.withLock { state in
      guard !state.waiting.isEmpty else { return }
      state.waiting.removeFirst()
      if wasSent { state.counts.sent += 1 } else { state.counts.failed += 1 }
    }
  }

  package var counts: Counts {
    state.withLock { state in
      var counts = state.counts
      counts.waiting = state.waiting.count
      return counts
    }
  }
}
