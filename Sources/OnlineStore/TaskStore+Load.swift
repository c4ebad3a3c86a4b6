internal import Columns
internal import Core
internal import Features
internal import Rocks

// Rows come into memory, and go.
extension TaskStore {
  /// Finds the entries of a chunk's rows, brings those that the disk has into memory, and makes room for the rest.
  /// `chunkEntries` holds the number of each row's entry then, or -1.
  func prepare(
    _ view: StoredView, _ keys: borrowing EntityKeys, _ rows: borrowing [Int], _ range: Range<Int>
  ) throws(HeadraceError) {
    touchedWords = view.rows.find(keys, rows, range, entries: &chunkEntries, missing: &missingRows)
    guard !missingRows.isEmpty else { return }
    if !view.rows.table.hasRoom(for: missingRows.count) {
      // Readers go on while the larger table is filled.
      let grown = view.rows.table.grownSlots(for: missingRows.count)
      lock.withLock { view.rows.adopt(grown) }
    }
    guard view.rows.mayBeOnDisk else { return }
    do {
      try load(view, keys, rows)
    } catch {
      throw noting(error)
    }
    for position in missingRows {
      chunkEntries[position - range.lowerBound] = view.rows.find(rows[position], of: keys)
    }
  }

  private func load(
    _ view: StoredView, _ keys: borrowing EntityKeys, _ rows: borrowing [Int]
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
      // A key may come twice in a chunk.
      guard view.rows.find(row, of: keys) < 0 else { return }
      let probe = unsafe KeyProbe(escaping: keys.text[row], hash: keys.hashes[row])
      lock.lock()
      _ = view.rows.insertClean(probe, fresh)
      lock.unlock()
      loaded += 1
    }
    lock.withLock {
      counters.misses += Int64(missingRows.count)
      counters.diskReads += Int64(loaded)
    }
  }

  /// Takes clean rows out of memory until the budget holds, in short holds of the lock; gives up when what is left is
  /// used or dirty.
  func evict() {
    var rounds = 0
    while rowBytes > options.memoryBudgetBytes, cleanBytes > 0, rounds < 16 {
      lock.withLock {
        for case let view? in views { counters.evictions += Int64(view.rows.sweep(visits: Self.chunkRows)) }
      }
      rounds += 1
    }
  }

  var rowBytes: Int { views.reduce(0) { $0 + ($1?.rows.bytes ?? 0) } }
  /// At least so much the disk has; a row that changed while it is saved counts twice against it.
  private var cleanBytes: Int {
    views.reduce(0) { $0 + ($1.map { $0.rows.bytes - $0.rows.dirtyBytes - $0.rows.savingBytes } ?? 0) }
  }
}

extension FeatureRow {
  /// A row that the disk gave: damaged bytes are damaged state.
  init(stored bytes: RawSpan, layout: ViewLayout, place: String) throws(HeadraceError) {
    do {
      self = try FeatureRow(copying: bytes, layout)
    } catch {
      throw .corruptState("a row of \(layout.definition.name) is damaged: \(error.message)", place: place)
    }
  }
}
