internal import Core
internal import CRDKafka

extension Consumer {
  /// Leaves the group (a static member only stops) and frees everything. Calling it again does nothing.
  ///
  /// Revocations reach the listener as in `poll`. librdkafka before 2.4 may hang while it closes, so the waiting is
  /// bounded: an instance that does not end in time is ended by a thread of its own, and the group notices by session
  /// time-out.
  ///
  /// - Returns: whether the group was left in good order.
  @discardableResult
  package func close(timeoutMilliseconds: Int64 = 10_000) throws -> Bool {
    guard let instance else { return true }
    let deadline = WallClock.monotonic.nowMilliseconds + timeoutMilliseconds
    isClosing = true
    let left = Result { try leaveGroup(instance, until: deadline) }
    owned.removeAll()
    ownedByRecordKey.removeAll()
    pendingRebalances.removeAll()
    self.instance = nil
    instance.messages.finish()
    Retirement.end(instance.client)
    return try left.get()
  }

  private func leaveGroup(_ instance: Instance, until deadline: Int64) throws -> Bool {
    let closing = RDQueue(of: instance.client)
    if let error = unsafe rd_kafka_consumer_close_queue(instance.client.handle, closing.handle) {
      // Nothing to leave: the instance failed for good, or was closed by the library.
      unsafe rd_kafka_error_destroy(error)
      return false
    }
    var failure: (any Error)?
    while unsafe rd_kafka_consumer_closed(instance.client.handle) == 0 {
      guard WallClock.monotonic.nowMilliseconds < deadline else { return false }
      let count = unsafe headrace_consume(
        closing.handle, 50, instance.messages.messages, instance.messages.capacity)
      unsafe headrace_release(instance.messages.messages, 0, count)
      do { try applyRebalances(instance) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
    return true
  }
}
