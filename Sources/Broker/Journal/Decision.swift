/// Names one request that waits for its answer. The server gives every request a fresh one; a machine only passes it
/// on.
struct ReplyToken: Hashable, Sendable, CustomStringConvertible {
  let rawValue: UInt64

  init(rawValue: UInt64) { self.rawValue = rawValue }

  var description: String { "#\(rawValue)" }
}

/// A state machine whose durable state is what its journal says: nothing but `apply` changes that state, neither while
/// requests are served nor while the journal is read back at start.
protocol EventSourced {
  associatedtype Event: Sendable

  mutating func apply(_ event: Event)
}

/// Something to do once the events of a decision are durable.
protocol DecidedAction: Sendable {
  /// What to do instead when the journal could not take the events: an answer with `error`, or nothing.
  func refused(with error: ErrorCode) -> Self?
}

/// What a state machine decided about one request: events to make durable, and then actions to perform.
///
/// The actions can only be had through `settle`, which keeps the order: journal, memory, answer.
struct Decision<Event: Sendable, Action: DecidedAction>: ~Copyable, Sendable {
  /// To be journaled in this order.
  let events: [Event]
  private let actions: [Action]

  init(events: [Event] = [], actions: [Action]) {
    self.events = events
    self.actions = actions
  }

  /// Journals the events, applies them to `machine`, and returns the actions to perform, in order.
  ///
  /// - Parameter append: writes the events to the journal as a whole; `false` when it could not, after which nothing
  ///   is applied and every waiting request is answered COORDINATOR_NOT_AVAILABLE, which all clients retry. Not called
  ///   when there is nothing to journal.
  consuming func settle<Machine: EventSourced>(
    in machine: inout Machine, append: ([Event]) -> Bool
  ) -> [Action] where Machine.Event == Event {
    guard !events.isEmpty else { return actions }
    guard append(events) else { return actions.compactMap { $0.refused(with: .coordinatorNotAvailable) } }
    for event in events { machine.apply(event) }
    return actions
  }
}
