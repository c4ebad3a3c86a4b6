/// A value that lives on one `BlockingThread` and is only ever touched there: how async code owns a `Consumer`, `Producer`
/// or anything else that must not be shared and may block.
package final class Confined<Value>: @unchecked Sendable {
  // Unchecked: `value` is set, used and released in jobs of `thread`, which run one after another.
  private let thread: BlockingThread
  private nonisolated(unsafe) var value: Value?

  /// Makes the value on its thread.
  package init(on thread: BlockingThread, _ make: @escaping @Sendable () throws -> Value) async throws {
    self.thread = thread
    try await thread.run { [self] in unsafe self.value = try make() }
  }

  deinit {
    guard let value = unsafe value else { return }
    let last = Parcel(value)
    thread.post { last.drop() }
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
    private var value: Value?
    init(_ value: Value) { self.value = value }
    func drop() { value = nil }
  }
}
