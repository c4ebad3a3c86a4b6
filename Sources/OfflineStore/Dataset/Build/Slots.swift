internal import Synchronization

/// Results of pieces of work, each set once by the thread that did it.
final class Slots<Value: Sendable>: Sendable {
  private let values: Mutex<[Value?]>

  init(_ count: Int) { values = Mutex([Value?](repeating: nil, count: count)) }

  func set(_ index: Int, _ value: Value) { values.withLock { $0[index] = value } }
  var all: [Value] { values.withLock { $0.compactMap(\.self) } }
}
