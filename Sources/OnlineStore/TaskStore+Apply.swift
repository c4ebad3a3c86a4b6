package import Columns
package import Core
internal import Features
internal import Rocks

/// Where `applyAndGather` leaves features: a matrix of doubles, row by row. The caller keeps the memory alive.
@safe
package struct FeatureMatrix {
  /// Of row 0 of the batch, first column of this view's features.
  package let start: UnsafeMutablePointer<Double>
  /// Doubles from one row to the next.
  package let stride: Int
  /// Features of this view: all of them, in the layout's order.
  package let width: Int

  package init(start: UnsafeMutablePointer<Double>, stride: Int, width: Int) {
    unsafe self.start = unsafe start
    self.stride = stride
    self.width = width
  }

  @inline(__always)
  func row(_ row: Int) -> UnsafeMutableBufferPointer<Double> {
    unsafe UnsafeMutableBufferPointer(start: start + row * stride, count: width)
  }
}

extension TaskStore {
  /// Applies events to the rows of their keys, in the order of `rows`.
  ///
  /// - Parameters:
  ///   - keys: of every row of the batch; what has no key must not be among `rows`, and is passed over.
  ///   - inputs: the view's inputs, evaluated over the batch.
  ///   - rows: indexes into the batch, ascending: those that the view takes and that are not late for it.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`. What was applied then must be discarded.
  package func apply(
    view: Int, keys: borrowing EntityKeys, inputs: borrowing [Column], rows: borrowing [Int],
    headers: borrowing EventHeaders
  ) throws(HeadraceError) {
    try applyChunks(self.rows(of: view), keys, inputs, rows, headers, matrix: nil)
  }

  /// As `apply`, and after each row the features of its key go to `matrix`, in the row of the event: its own event and all
  /// before it included, none after it. Read at the event's time.
  package func applyAndGather(
    view: Int, keys: borrowing EntityKeys, inputs: borrowing [Column], rows: borrowing [Int],
    headers: borrowing EventHeaders, into matrix: FeatureMatrix
  ) throws(HeadraceError) {
    try applyChunks(self.rows(of: view), keys, inputs, rows, headers, matrix: matrix)
  }

  private func applyChunks(
    _ view: ViewRows, _ keys: borrowing EntityKeys, _ inputs: borrowing [Column], _ rows: borrowing [Int],
    _ headers: borrowing EventHeaders, matrix: FeatureMatrix?
  ) throws(HeadraceError) {
    try checkUsable()
    var start = 0
    while start < rows.count {
      let end = min(start + Self.chunkRows, rows.count)
      try prepare(view, keys, rows, start..<end)
      lock.withLock { applyChunk(view, keys, inputs, rows, start..<end, headers, matrix) }
      evict()
      start = end
    }
  }

  private func applyChunk(
    _ view: ViewRows, _ keys: borrowing EntityKeys, _ inputs: borrowing [Column], _ rows: borrowing [Int],
    _ range: Range<Int>, _ headers: borrowing EventHeaders, _ matrix: FeatureMatrix?
  ) {
    let layout = view.namespace.layout
    for position in range {
      let row = rows[position]
      guard keys.isValid[row] else { continue }
      let index = entry(of: row, of: keys, in: view, hint: chunkEntries[position - range.lowerBound])
      let entry = unsafe view.table.entry(index)
      let time = headers.eventTimesMilliseconds[row]
      let watermark = headers.watermarksMilliseconds[row]
      unsafe layout.apply(
        &entry.pointee.row, inputs: inputs, index: row, eventTime: time,
        position: EventPosition(partition: headers.partition, offset: headers.offsets[row]),
        horizonWatermark: watermark)
      view.noteChange(index)
      if let matrix {
        unsafe layout.gather(entry.pointee.row, at: time, watermark: watermark, into: matrix.row(row))
      }
    }
  }

  /// Merges pre-aggregated rows of the same view into the rows of their keys.
  ///
  /// - Parameters:
  ///   - deltas: the bytes of a `FeatureRow` for each key.
  ///   - rows: indexes into `keys` and `deltas`.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`, and what a delta's bytes are refused with; what was merged then must be
  ///   discarded.
  package func merge(
    view: Int, keys: borrowing EntityKeys, deltas: borrowing TextBuffer, rows: borrowing [Int],
    watermarkMilliseconds: Int64
  ) throws(HeadraceError) {
    try checkUsable()
    let view = try self.rows(of: view)
    let layout = view.namespace.layout
    var start = 0
    while start < rows.count {
      let end = min(start + Self.chunkRows, rows.count)
      try prepare(view, keys, rows, start..<end)
      lock.lock()
      defer { lock.unlock() }
      for position in start..<end where keys.isValid[rows[position]] {
        let row = rows[position]
        let delta = try FeatureRow(copying: deltas[row], layout: layout)
        let index = entry(of: row, of: keys, in: view, hint: chunkEntries[position - start])
        unsafe layout.merge(delta, into: &view.table.entry(index).pointee.row, watermark: watermarkMilliseconds)
        view.noteChange(index)
      }
      start = end
    }
    evict()
  }

  /// The entry of a row's key; an empty row is put there if there is none. Under the lock.
  @inline(__always)
  private func entry(of row: Int, of keys: borrowing EntityKeys, in view: ViewRows, hint: Int) -> Int {
    if hint >= 0 { return hint }
    let probe = unsafe KeyProbe(escaping: keys.text[row], hash: keys.hashes[row])
    // An earlier row of the chunk may have brought it.
    let index = view.table.find(probe)
    return index >= 0 ? index : view.insertClean(probe, FeatureRow(empty: view.namespace.layout))
  }
}
