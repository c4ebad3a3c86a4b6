internal import Columns
internal import Core
internal import Features
internal import Rocks

// Rows come into memory, and go.
extension TaskStore {
  /// Finds the entries of a chunk's rows, brings those that the disk has into memory, and makes room for the rest.
  /// `chunkEntries` holds the number of each row's entry then, or -1.
  func prepare(
    _ view: ViewRows, _ keys: borrowing EntityKeys, _ rows: borrowing [Int], _ range: Range<Int>
  ) throws(HeadraceError) {
    missingRows.removeAll(keepingCapacity: true)
    chunkEntries.removeAll(keepingCapacity: true)
    // Lookups that do not depend on one another: the processor overlaps their cache misses.
    for position in range {
      let row = rows[position]
      let index = keys.isValid[row] ? find(row, of: keys, in: view) : -1
      chunkEntries.append(index)
      if index < 0, keys.isValid[row] { missingRows.append(position) }
    }
    guard !missingRows.isEmpty else { return }
    if !view.table.hasRoom(for: missingRows.count) {
      // Readers go on while the larger table is filled.
      let grown = view.table.grownSlots(for: missingRows.count)
      lock.withLock { view.table.adopt(grown) }
    }
    guard view.mayBeOnDisk else { return }
    do {
      try load(view, keys, rows)
    } catch {
      throw noting(error)
    }
    for position in missingRows {
      chunkEntries[position - range.lowerBound] = find(rows[position], of: keys, in: view)
    }
  }

  private func find(_ row: Int, of keys: borrowing EntityKeys, in view: ViewRows) -> Int {
    unsafe view.table.find(KeyProbe(escaping: keys.text[row], hash: keys.hashes[row]))
  }

  private func load(
    _ view: ViewRows, _ keys: borrowing EntityKeys, _ rows: borrowing [Int]
  ) throws(HeadraceError) {
    missing.removeAll()
    for position in missingRows { missing.append(prefix: view.namespace.id, keys.text[rows[position]]) }
    let layout = view.namespace.layout
    var loaded = 0
    // Captured as a copy of references: the buffers are the caller's.
    let keys = copy keys
    let rows = copy rows
    try database.multiGet(missing, in: StoreFamily.rows) { index, value throws(HeadraceError) in
      let row = rows[missingRows[index]]
      let fresh = try FeatureRow(stored: value, layout: layout, place: path)
      let probe = unsafe KeyProbe(escaping: keys.text[row], hash: keys.hashes[row])
      // A key may come twice in a chunk.
      guard view.table.find(probe) < 0 else { return }
      lock.lock()
      _ = view.insertClean(probe, fresh)
      lock.unlock()
      loaded += 1
    }
    lock.withLock {
      counters.misses += Int64(missingRows.count)
      counters.diskReads += Int64(loaded)
    }
  }

  /// Takes clean rows out of memory until the budget holds, in short holds of the lock; gives up when what is left is used
  /// or dirty.
  func evict() {
    var rounds = 0
    while memoryBytes > options.memoryBudgetBytes, cleanBytes > 0, rounds < 16 {
      lock.withLock {
        for case let rows? in views {
          let count = rows.table.count
          rows.sweep(visits: Self.chunkRows)
          counters.evictions += Int64(count - rows.table.count)
        }
      }
      rounds += 1
    }
  }

  private var memoryBytes: Int { views.reduce(0) { $0 + ($1?.bytes ?? 0) } }
  private var cleanBytes: Int { views.reduce(0) { $0 + ($1.map { $0.bytes - $0.dirtyBytes } ?? 0) } }
}

extension FeatureRow {
  /// A row that the disk gave: damaged bytes are damaged state.
  init(stored bytes: RawSpan, layout: ViewLayout, place: String) throws(HeadraceError) {
    do {
      self = try FeatureRow(copying: bytes, layout: layout)
    } catch {
      throw .corruptState("a row of \(layout.name) is damaged: \(error.message)", place: place)
    }
  }
}
