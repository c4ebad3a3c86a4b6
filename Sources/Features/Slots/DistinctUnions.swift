/// The unions of the distinct sets of windows, of rows that are read again and again: a busy key's window has the same
/// tiles for many events, and between two of them only the tile in which an event fell has changed.
///
/// What a union says is what the sets would say if they were merged anew. That a tile has not changed is known by its
/// count of events, which grows with each; so whoever takes a row away, or puts an older one in its place, has to say
/// so.
package struct DistinctUnions {
  /// Each takes up to 9 KiB once it is used. Keys follow laws in which some hundreds make most of the events.
  private static let unionCount = 1_024
  /// Of one row.
  private static let ways = 4
  /// Smaller sets are merged faster than they are looked up.
  private static let leastBytes = 1_536

  /// Of one window over one slot of one row; a place is for whichever was read last.
  private var unions: [DistinctUnion] = []
  /// Whoever owns the rows names them.
  private var row = 0
  /// What the event that was applied last added to the row's sets.
  private var added: [Addition] = []

  /// One event's value, as a set takes it.
  struct Addition {
    var region: Int
    var slot: Int
    /// The start of the tile that took it.
    var tile: Int64
    var hash: UInt64
  }

  package init() {}

  /// Nothing is known of what changed since the last look.
  package mutating func forgetAdditions() { added.removeAll(keepingCapacity: true) }

  /// The event that is applied last added this, and nothing else to the slot.
  mutating func note(_ addition: Addition) { added.append(addition) }

  /// Says which row is read from now on.
  @inline(__always)
  package mutating func select(row: Int) { self.row = row }

  /// A row is gone.
  package mutating func forget(row: Int) {
    guard !unions.isEmpty else { return }
    let first = Self.place(row)
    for place in first..<first + Self.ways where unions[place].row == row { unions[place].row = -1 }
  }

  package mutating func forgetAll() { unions = [] }

  /// How many distinct values the slots of some tiles have seen together.
  mutating func count(_ row: borrowing FeatureRow, _ cells: CellRange, _ feature: borrowing FeaturePlan) -> Int64 {
    let slot = feature.slotOffset
    guard cells.count <= DistinctUnion.cellsMaximum else { return row.distinctCount(cells, slot: slot) }
    var bytes = 0
    for cell in 0..<cells.count { bytes += row.blockLength(row.load(cells[cell] + slot)) }
    guard bytes >= Self.leastBytes else { return row.distinctCount(cells, slot: slot) }
    if unions.isEmpty { unions = Array(repeating: DistinctUnion(), count: Self.unionCount) }
    let source = DistinctUnion.Source(
      region: feature.region, slot: slot, countOffset: feature.countOffset, window: feature.tail.length)
    let place = Self.place(self.row) + Self.mixed(feature.region &* 4096 &+ slot) % Self.ways
    return unions[place].count(
      row, self.row, cells, source, added.first { $0.slot == slot && $0.region == source.region })
  }

  private static func place(_ row: Int) -> Int { mixed(row) % (unionCount / ways) * ways }

  /// Fibonacci hashing: neighbouring numbers go to places far apart.
  private static func mixed(_ number: Int) -> Int {
    Int((UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9_7f4a_7c15) >> 33)
  }
}

/// One union, and what it is made of.
private struct DistinctUnion {
  /// Which sets of a row.
  struct Source: Equatable {
    var region = 0
    var slot = 0
    var countOffset = 0
    /// Milliseconds.
    var window: Int64 = 0
  }

  static let cellsMaximum = 16

  /// Negative when there is none.
  var row = -1
  private var source = Source()
  private var cellCount = 0
  /// The tiles' starts, and their counts of events when they were merged.
  private var starts = InlineArray<16, Int64>(repeating: 0)
  private var counts = InlineArray<16, UInt64>(repeating: 0)
  /// Bytes of their sets. An exact set of the same length is the same set: none ever loses a value.
  private var lengths = InlineArray<16, Int>(repeating: 0)
  private var areRegisters = false
  /// The registers, or a table by open addressing, at most half full.
  private var words: [UInt64] = []
  /// Hashes in the table, without 0.
  private var different = 0
  private var hasZero = false
  private var histogram = InlineArray<64, UInt32>(repeating: 0)
  private var value: Int64 = 0

  /// - Parameter addition: what the last event added to the slot, if it is known.
  mutating func count(
    _ row: borrowing FeatureRow, _ identity: Int, _ cells: CellRange, _ source: Source,
    _ addition: DistinctUnions.Addition?
  ) -> Int64 {
    if self.row != identity || self.source != source || !continues(row, cells) {
      (self.row, self.source) = (identity, source)
      start(asRegisters: false)
    }
    var hasChanged = cellCount == 0
    var cell = 0
    while cell < cells.count {
      let count: UInt64 = row.load(cells[cell] + source.countOffset)
      let block: UInt32 = row.load(cells[cell] + source.slot)
      let length = row.blockLength(block)
      let isExact = length != DistinctSet.registerCount
      if cell < cellCount, counts[cell] == count || isExact && lengths[cell] == length {
        counts[cell] = count
        cell += 1
        continue
      }
      // One event more than at the last look, and it is known which: no need to look at the others again.
      var isAdded: Bool?
      if let addition, cell < cellCount, counts[cell] &+ 1 == count, starts[cell] == addition.tile,
        areRegisters || isExact
      {
        isAdded = add(addition.hash)
      }
      guard let isNew = isAdded ?? merge(row, row.payload(block), length) else {
        // Registers hold what the table cannot: from the first tile on.
        start(asRegisters: true)
        (hasChanged, cell) = (true, 0)
        continue
      }
      hasChanged = hasChanged || isNew
      (starts[cell], counts[cell], lengths[cell]) = (row.load(cells[cell]), count, length)
      cell += 1
      cellCount = max(cellCount, cell)
    }
    if hasChanged {
      value = areRegisters ? DistinctSet.estimate(histogram) : Int64(different + (hasZero ? 1 : 0))
    }
    return value
  }

  /// Whether the window has all tiles that were merged, with as many events or more, and others behind them only.
  private func continues(_ row: borrowing FeatureRow, _ cells: CellRange) -> Bool {
    guard cellCount > 0, cellCount <= cells.count else { return false }
    for cell in 0..<cellCount {
      let (start, count): (Int64, UInt64) = (row.load(cells[cell]), row.load(cells[cell] + source.countOffset))
      if start != starts[cell] || count < counts[cell] { return false }
    }
    return true
  }

  private mutating func start(asRegisters: Bool) {
    (areRegisters, cellCount, different, hasZero) = (asRegisters, 0, 0, false)
    let wanted = asRegisters ? DistinctSet.registerCount / 8 : 2 * (DistinctSet.exactLimit + 1)
    words.removeAll(keepingCapacity: true)
    words.append(contentsOf: repeatElement(0, count: wanted))
    guard asRegisters else { return }
    histogram = InlineArray(repeating: 0)
    histogram[0] = UInt32(DistinctSet.registerCount)
  }

  /// - Returns: whether it has something new; nil when the table cannot hold it.
  private mutating func merge(_ row: borrowing FeatureRow, _ start: Int, _ length: Int) -> Bool? {
    if areRegisters { return mergeIntoRegisters(row, start, length) }
    guard length != DistinctSet.registerCount else { return nil }
    let before = (different, hasZero)
    unsafe words.withUnsafeMutableBufferPointer { table in
      for offset in stride(from: start, to: start + length, by: 8) where different <= DistinctSet.exactLimit {
        let hash: UInt64 = row.load(offset)
        if hash == 0 { hasZero = true } else if unsafe DistinctSet.insert(hash, into: table) { different += 1 }
      }
    }
    return different + (hasZero ? 1 : 0) <= DistinctSet.exactLimit ? before != (different, hasZero) : nil
  }

  /// - Returns: whether it is new; nil when the table cannot hold it.
  private mutating func add(_ hash: UInt64) -> Bool? {
    if areRegisters {
      let (index, rank) = DistinctSet.register(hash)
      let old = unsafe words.withUnsafeMutableBytes { registers in
        let old = unsafe registers[index]
        if rank > old { unsafe registers[index] = rank }
        return old
      }
      guard rank > old else { return false }
      histogram[Int(old & 63)] &-= 1
      histogram[Int(rank & 63)] &+= 1
      return true
    }
    if hash == 0 {
      defer { hasZero = true }
      return !hasZero
    }
    guard different < DistinctSet.exactLimit else { return nil }
    guard unsafe words.withUnsafeMutableBufferPointer({ unsafe DistinctSet.insert(hash, into: $0) }) else {
      return false
    }
    different += 1
    return different + (hasZero ? 1 : 0) <= DistinctSet.exactLimit ? true : nil
  }

  private mutating func mergeIntoRegisters(_ row: borrowing FeatureRow, _ start: Int, _ length: Int) -> Bool {
    let set = row.span(at: start, count: length)
    return unsafe words.withUnsafeMutableBytes { registers in
      var hasChanged = false
      func raise(_ index: Int, to rank: UInt8) {
        let old = unsafe registers[index]
        guard rank > old else { return }
        unsafe registers[index] = rank
        histogram[Int(old & 63)] &-= 1
        histogram[Int(rank & 63)] &+= 1
        hasChanged = true
      }
      guard length == DistinctSet.registerCount else {
        for offset in stride(from: 0, to: length, by: 8) {
          let hash = unsafe UInt64(littleEndian: set.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
          let (index, rank) = DistinctSet.register(hash)
          raise(index, to: rank)
        }
        return hasChanged
      }
      // Most are as they were: 64 at a time are looked at without a branch.
      for first in stride(from: 0, to: length, by: 64) {
        var greater = SIMD16<UInt8>()
        for offset in stride(from: first, to: first + 64, by: 16) {
          let rank = unsafe set.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
          let register = unsafe registers.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
          greater.replace(with: 1, where: rank .> register)
        }
        guard greater != SIMD16() else { continue }
        for index in first..<first + 64 {
          raise(index, to: unsafe set.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
      }
      return hasChanged
    }
  }
}
