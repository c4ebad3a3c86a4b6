internal import Synchronization

/// What the sessions of a service work by (a plan, a list of topics), as others set it meanwhile.
package final class Followed<Value: Sendable>: Sendable {
  private struct State: Sendable {
    var value: Value?
    var number = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// - Parameter value: nil: there is nothing to do.
  package func set(_ value: Value?) {
    state.withLock { $0 = State(value: value, number: $0.number + 1) }
  }

  package var value: Value? { newest.value }

  /// The newest value, and which one it is.
  fileprivate var newest: (value: Value?, number: Int) { state.withLock { ($0.value, $0.number) } }
}

extension SessionThread {
  /// One session after another as `repeatSessions`, each by one value: it goes on until another one is set.
  ///
  /// - Parameter session: returns in its own time once `goesOn()` is false.
  package func repeatSessions<Value: Sendable>(
    following followed: Followed<Value>, _ backoff: Backoff = Backoff(),
    failed: (_ error: any Error, _ count: Int) -> Void,
    session: (_ value: Value, _ goesOn: () -> Bool) throws -> Void
  ) {
    repeatSessions(backoff, failed: failed) {
      let (value, number) = followed.newest
      guard let value else { return pause(milliseconds: Self.idleMilliseconds) }
      try session(value) { !self.isStopping && followed.newest.number == number }
    }
  }

  /// Between two looks whether there is something to do.
  private static var idleMilliseconds: Int64 { 50 }
}
