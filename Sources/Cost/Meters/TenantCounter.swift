internal import Core

/// Counts the values of a column by tenant for one thread, and hands the counts on batch by batch.
///
/// A table from the bytes of a value to its cell of the meter: one hash and one comparison for a value. Memory is
/// taken, and the meter's lock, for a name that was never seen before, and never again once the meter is full.
package final class TenantCounter {
  private struct Entry {
    var hash: UInt64
    /// Of the key, in `bytes`.
    var start: Int
    var length: Int
    /// -1 of an empty place.
    var cell: Int
  }

  private let meter: TenantMeter
  /// Keys are the eight bytes of whole numbers; else UTF-8.
  private let isOfIntegers: Bool
  private var entries: [Entry]
  /// Places that are taken.
  private var entryCount = 0
  private var bytes: [UInt8] = []
  /// By cell: what the batch added, and which cells have anything.
  private var pending: [Int64]
  private var touched: [Int] = []
  /// The meter takes no further names, and all of its names are here.
  private var isComplete = false

  /// Longer names are counted as `other`: nobody calls a customer so.
  package static let nameBytesMaximum = 200

  package init(_ meter: TenantMeter, isOfIntegers: Bool) {
    self.meter = meter
    self.isOfIntegers = isOfIntegers
    var capacity = 64
    while capacity < 2 * meter.cellCount { capacity *= 2 }
    entries = Array(repeating: Entry(hash: 0, start: 0, length: 0, cell: -1), count: capacity)
    pending = Array(repeating: 0, count: meter.cellCount)
  }

  /// An event without a value.
  @inline(__always)
  package func countUnknown() { count(cell: TenantMeter.unknownCell) }

  /// An event of a tenant, by the bytes of its name.
  @inline(__always)
  package func count(name: UnsafeRawBufferPointer) {
    guard name.count > 0 else { return countUnknown() }
    guard name.count <= Self.nameBytesMaximum else { return count(cell: TenantMeter.otherCell) }
    count(cell: unsafe cell(of: name))
  }

  /// An event of a tenant that is a number.
  @inline(__always)
  package func count(number: Int64) {
    var number = number
    count(cell: unsafe withUnsafeBytes(of: &number) { unsafe self.cell(of: $0) })
  }

  /// Ends a batch: others see its counts.
  package func flush() {
    for cell in touched {
      meter.add(pending[cell], to: cell)
      pending[cell] = 0
    }
    touched.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private func count(cell: Int) {
    if pending[cell] == 0 { touched.append(cell) }
    pending[cell] += 1
  }

  private func cell(of key: UnsafeRawBufferPointer) -> Int {
    let hash = unsafe Hash64.hash(key)
    let place = unsafe place(of: key, hash)
    if entries[place].cell >= 0 { return entries[place].cell }
    guard !isComplete else { return TenantMeter.otherCell }
    if let cell = meter.cell(of: unsafe name(of: key)) {
      unsafe put(key, hash, cell)
      return cell
    }
    // Nothing comes to the meter any more: what other threads have met is taken over once.
    isComplete = true
    for (name, cell) in meter.known.sorted(by: { $0.value < $1.value }) {
      unsafe self.key(ofName: name).withUnsafeBytes { known in
        let hash = unsafe Hash64.hash(known)
        if entries[unsafe self.place(of: known, hash)].cell < 0 { unsafe put(known, hash, cell) }
      }
    }
    return TenantMeter.otherCell
  }

  /// Where a key is, or where it would be: at most half of the places are taken.
  private func place(of key: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
    let mask = entries.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while entries[place].cell >= 0 {
      let entry = entries[place]
      if entry.hash == hash, entry.length == key.count, unsafe isSame(key, at: entry.start) { return place }
      place = (place + 1) & mask
    }
    return place
  }

  private func isSame(_ key: UnsafeRawBufferPointer, at start: Int) -> Bool {
    for index in 0..<key.count where unsafe key[index] != bytes[start + index] { return false }
    return true
  }

  /// Remembers the cell of a key; no further one where half of the places are taken, so that every search ends.
  private func put(_ key: UnsafeRawBufferPointer, _ hash: UInt64, _ cell: Int) {
    guard entryCount < entries.count / 2 else { return }
    entryCount += 1
    let place = unsafe place(of: key, hash)
    entries[place] = Entry(hash: hash, start: bytes.count, length: key.count, cell: cell)
    unsafe bytes.append(contentsOf: key)
  }

  private func name(of key: UnsafeRawBufferPointer) -> [UInt8] {
    guard isOfIntegers else { return unsafe Array(key) }
    let number = unsafe key.loadUnaligned(as: Int64.self)
    return Array("\(number)".utf8)
  }

  private func key(ofName name: [UInt8]) -> [UInt8] {
    guard isOfIntegers else { return name }
    var number = Int64(String(decoding: name, as: UTF8.self)) ?? 0
    return unsafe withUnsafeBytes(of: &number) { unsafe Array($0) }
  }
}

@available(*, unavailable)
extension TenantCounter: Sendable {}
