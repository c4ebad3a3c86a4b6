/// A value that lives on one `BlockingThread` and is only ever touched there: how async code owns a `Consumer`,
/// `Producer` or anything else that must not be shared and may block.
package final class Confined<Value>: @unchecked Sendable {
  private let thread: BlockingThread
  // Set, used and released in jobs of `thread`, which run one after another.
  private nonisolated(unsafe) var value: Value?

  /// Makes the value on its thread.
  package init(on thread: BlockingThread, _ make: @escaping @Sendable () throws -> Value) async throws {
    self.thread = thread
    try await thread.run { [self] in unsafe self.value = try make() }
  }

  deinit {
    // Swapped, not copied: no reference may stay on this thread.
    let parcel = Parcel()
    unsafe swap(&parcel.value, &value)
    thread.post { parcel.value = nil }
  }

  /// Uses the value on its thread.
  package func run<Result: Sendable>(_ body: @escaping @Sendable (Value) throws -> Result) async throws -> Result {
    try await thread.run { [self] in
      guard let value = unsafe self.value else { throw CancellationError() }
      return try body(value)
    }
  }

  /// Carries the value to the thread on which it is released.
  private final class Parcel: @unchecked Sendable {
    // Unchecked: handed from one thread to another, and used by one at a time.
    var value: Value?
  }
}
