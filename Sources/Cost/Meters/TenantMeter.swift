internal import Synchronization

/// How many events, or predictions, each tenant of one subject had. Any thread adds to it; it neither grows nor moves.
///
/// The first names that a process meets have counts of their own, up to `namesMaximum`; the rest is counted as `other`,
/// so that a field with a value for each event costs no more than one with a few.
@safe
package final class TenantMeter: @unchecked Sendable {
  // Unchecked: the cells are atomics, and their array lives as long as the meter.
  private let cells: UnsafeMutablePointer<Atomic<Int64>>
  /// By the bytes of a name: texts that Swift calls equal may be written in thousands of ways, and who counts goes by
  /// the bytes.
  private let names = Mutex<[[UInt8]: Int]>([:])
  private let namesMaximum: Int

  /// What has no value in the field, or an empty one.
  package static let unknown = "unknown"
  /// What had no room any more.
  package static let other = "other"
  package static let namesMaximum = 1_000

  /// Cells of `unknown` and `other`; names come behind them.
  static let unknownCell = 0
  static let otherCell = 1
  private static let firstCell = 2

  package init(namesMaximum: Int = TenantMeter.namesMaximum) {
    self.namesMaximum = max(namesMaximum, 0)
    let count = self.namesMaximum + Self.firstCell
    unsafe cells = .allocate(capacity: count)
    for index in 0..<count { unsafe (cells + index).initialize(to: Atomic<Int64>(0)) }
  }

  deinit {
    unsafe cells.deinitialize(count: namesMaximum + Self.firstCell)
    unsafe cells.deallocate()
  }

  var cellCount: Int { namesMaximum + Self.firstCell }

  /// The cell of a tenant, the same one each time; nil when there is no room for another name.
  func cell(of name: [UInt8]) -> Int? {
    names.withLock { names in
      if let known = names[name] { return known }
      guard names.count < namesMaximum else { return nil }
      names[name] = names.count + Self.firstCell
      return names.count + Self.firstCell - 1
    }
  }

  /// All names with their cells.
  var known: [[UInt8]: Int] { names.withLock { $0 } }

  /// Any thread; never waits.
  func add(_ amount: Int64, to cell: Int) { unsafe cells[cell].wrappingAdd(amount, ordering: .relaxed) }

  /// What was counted since the meter was made; tenants without anything are left out.
  package var counts: [String: Int64] {
    var counts: [String: Int64] = [:]
    let names = known.map { (String(decoding: $0.key, as: UTF8.self), $0.value) }
    let named = names + [(Self.unknown, Self.unknownCell), (Self.other, Self.otherCell)]
    for (name, cell) in named {
      let count = unsafe cells[cell].load(ordering: .relaxed)
      // A tenant may be called as one of ours is, or as another one in other bytes.
      if count != 0 { counts[name, default: 0] &+= count }
    }
    return counts
  }
}
