internal import Synchronization

/// The meters of a process: a fixed array of counters that any thread adds to.
///
/// Whoever works asks once for the slots of what it does (`slot`), and adds to them batch by batch: one relaxed atomic
/// addition, no lock, no allocation. The array neither grows nor moves, so that slots stay what they are while plans
/// come and go; what does not fit any more is added up in one slot for everything else.
@safe
package final class MeterTable: @unchecked Sendable {
  // Unchecked: the cells are atomics, and their array lives as long as the table.
  private let cells: UnsafeMutablePointer<Atomic<Int64>>
  private let slotCount: Int
  private let keys = Mutex<[Key]>([Key(operation: .unattributed, subject: .process, model: nil)])

  private struct Key: Hashable, Sendable {
    var operation: Operator
    var subject: Subject
    /// Of a remote model, as its price list names it.
    var model: String?
  }

  /// Where something is counted.
  package struct Slot: Sendable, Hashable {
    fileprivate var index: Int
  }

  /// - Parameter slotCount: how many different operators of subjects there may be.
  package init(slotCount: Int = 2_048) {
    self.slotCount = max(slotCount, 1)
    let count = self.slotCount * Resource.allCases.count
    unsafe cells = .allocate(capacity: count)
    for index in 0..<count { unsafe (cells + index).initialize(to: Atomic<Int64>(0)) }
  }

  deinit {
    unsafe cells.deinitialize(count: slotCount * Resource.allCases.count)
    unsafe cells.deallocate()
  }

  /// The slot of an operator of a subject; the same one each time.
  ///
  /// - Parameter model: the name of a remote model in a price list of tokens.
  package func slot(_ operation: Operator, _ subject: Subject = .process, model: String? = nil) -> Slot {
    let key = Key(operation: operation, subject: subject, model: model)
    return keys.withLock { keys in
      if let known = keys.firstIndex(of: key) { return Slot(index: known) }
      guard keys.count < slotCount else { return Slot(index: 0) }
      keys.append(key)
      return Slot(index: keys.count - 1)
    }
  }

  /// Any thread; never waits.
  package func add(_ amount: Int64, _ resource: Resource, to slot: Slot) {
    unsafe cells[slot.index * Resource.allCases.count + resource.rawValue].wrappingAdd(amount, ordering: .relaxed)
  }

  /// One slot as it is read.
  package struct Reading: Sendable, Equatable {
    package var operation: Operator
    package var subject: Subject
    package var model: String?
    package var amounts: Amounts

    package init(_ operation: Operator, _ subject: Subject, model: String? = nil, _ amounts: Amounts) {
      self.operation = operation
      self.subject = subject
      self.model = model
      self.amounts = amounts
    }
  }

  /// Everything that was counted since the table was made; slots without anything are left out.
  package var readings: [Reading] {
    keys.withLock { $0 }.enumerated().compactMap { index, key in
      var amounts = Amounts()
      for resource in Resource.allCases {
        let cell = index * Resource.allCases.count + resource.rawValue
        amounts[resource] = unsafe cells[cell].load(ordering: .relaxed)
      }
      return amounts.isZero ? nil : Reading(key.operation, key.subject, model: key.model, amounts)
    }
  }
}

/// An amount of each resource.
package struct Amounts: Sendable, Hashable {
  private var values = [Int64](repeating: 0, count: Resource.allCases.count)

  package init() {}

  package subscript(resource: Resource) -> Int64 {
    get { values[resource.rawValue] }
    set { values[resource.rawValue] = newValue }
  }

  package var isZero: Bool { values.allSatisfy { $0 == 0 } }

  package static func += (left: inout Self, right: Self) {
    for index in left.values.indices { left.values[index] &+= right.values[index] }
  }

  package static func - (left: Self, right: Self) -> Self {
    var difference = left
    for index in difference.values.indices { difference.values[index] &-= right.values[index] }
    return difference
  }
}
