internal import CRDKafka

/// The array into which the library puts borrowed records, and their way back.
///
/// To free a record costs about as much as to take it from the queue. A large batch goes back on a thread of its own,
/// while the caller works on the next one; the array goes with it, in exchange for one that is empty. Where that thread
/// is not done yet the caller frees the records itself, so that nobody waits and nothing piles up.
final class MessageBuffer {
  private var array: MessageArray
  /// Where the second array is; nil until a batch was large enough.
  private var second: Monitor<Second>?

  /// Handing over costs a few microseconds.
  private static let handedOverFrom = 256

  private enum Second: Sendable {
    case empty(MessageArray)
    case full(MessageArray, count: Int)
    /// The thread frees its records.
    case taken
    /// The thread ends.
    case gone
  }

  init(capacity: Int) { array = MessageArray(capacity: capacity) }

  deinit {
    finish()
    array.deallocate()
  }

  var messages: MessageArray.Pointer { unsafe array.pointer }
  var capacity: Int { array.capacity }

  /// Gives the first `count` records back to the library: nothing of them may be looked at any more.
  func giveBack(_ count: Int) {
    if count >= Self.handedOverFrom, let empty = (second ?? start()).flatMap({ exchange(count, in: $0) }) {
      array = empty
    } else {
      array.release(count)
    }
  }

  /// Waits until every record is back: before their client ends.
  func finish() {
    guard let second else { return }
    self.second = nil
    second.wait { second -> Void? in
      guard case .empty(let array) = second else { return nil }
      array.deallocate()
      second = .gone
      return ()
    }
    // Waiting wakes nobody: the thread hears of its end by this.
    second.change { _ in }
  }

  private func exchange(_ count: Int, in second: Monitor<Second>) -> MessageArray? {
    let full = array
    return second.change { second in
      guard case .empty(let empty) = second else { return nil }
      second = .full(full, count: count)
      return empty
    }
  }

  /// - Returns: nil where the system has no thread left.
  private func start() -> Monitor<Second>? {
    let array = MessageArray(capacity: capacity)
    let second = Monitor(Second.empty(array))
    do {
      try BlockingThread.start(name: "records-back") { Self.run(second) }
    } catch {
      array.deallocate()
      return nil
    }
    self.second = second
    return second
  }

  private static func run(_ second: Monitor<Second>) {
    while let work = second.wait({ take(&$0) }), case .full(let array, let count) = work {
      array.release(count)
      second.change { $0 = .empty(array) }
    }
  }

  /// - Returns: what there is to free, or that the thread shall end; nil when there is nothing to do yet.
  private static func take(_ second: inout Second) -> Second? {
    let found = second
    switch found {
    case .full:
      second = .taken
      return found
    case .gone: return found
    case .empty, .taken: return nil
    }
  }
}

/// Room for pointers to records.
// Unchecked: it is handed from thread to thread under the buffer's lock, and whoever holds it alone touches it.
@safe
struct MessageArray: @unchecked Sendable {
  typealias Pointer = UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>

  let pointer: Pointer
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    unsafe pointer = .allocate(capacity: capacity)
    unsafe pointer.initialize(repeating: nil, count: capacity)
  }

  func release(_ count: Int) { unsafe headrace_release(pointer, 0, count) }

  func deallocate() { unsafe pointer.deallocate() }
}
