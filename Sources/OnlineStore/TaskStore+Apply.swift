package import Columns
package import Core
package import Features
internal import Rocks

/// Where `applyAndGather` and `gather` leave features: a matrix of doubles, row by row. The caller keeps the memory
/// alive.
@safe
package struct FeatureMatrix {
  /// Of row 0 of the batch, first column of this view's features.
  package let start: UnsafeMutablePointer<Double>
  /// Doubles from one row to the next.
  package let stride: Int
  /// Which features of the view, and where in a row.
  package let plan: GatherPlan

  package init(start: UnsafeMutablePointer<Double>, stride: Int, plan: GatherPlan) {
    unsafe self.start = unsafe start
    self.stride = stride
    self.plan = plan
  }

  /// The numbers of one row.
  @inline(__always)
  package func row(_ row: Int) -> UnsafeMutableBufferPointer<Double> {
    unsafe UnsafeMutableBufferPointer(start: start + row * stride, count: plan.count)
  }
}

extension TaskStore {
  /// Applies events to the rows of their keys, in the order of `rows`.
  ///
  /// - Parameters:
  ///   - keys: of every row of the batch; what has no key must not be among `rows`, and is passed over.
  ///   - inputs: the view's inputs, evaluated over the batch: as many rows as `keys`.
  ///   - rows: indexes into the batch, ascending: those that the view takes and that are not late for it.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`. What was applied then must be discarded.
  package func apply(
    view: Int, keys: borrowing EntityKeys, inputs: borrowing [Column], rows: borrowing [Int],
    headers: borrowing EventHeaders
  ) throws(HeadraceError) {
    try applyChunks(storedView(view), keys, inputs, rows, rows.indices, headers, matrix: nil, applies: [])
  }

  /// As `apply`, of a part of `rows`. Parts of one batch come one after the other, the first with `isFirst`.
  package func apply(
    view: Int, keys: borrowing EntityKeys, inputs: borrowing [Column], rows: borrowing [Int], range: Range<Int>,
    isFirst: Bool, headers: borrowing EventHeaders
  ) throws(HeadraceError) {
    try applyChunks(storedView(view), keys, inputs, rows, range, headers, isLoaded: !isFirst, matrix: nil, applies: [])
  }

  /// As `apply` of a part, and after each row all features of its key, read at the event's time, go to `features`: its
  /// own event and all before it included, none after it.
  package func applyAndRead(
    view: Int, keys: borrowing EntityKeys, inputs: borrowing [Column], rows: borrowing [Int], range: Range<Int>,
    isFirst: Bool, headers: borrowing EventHeaders, into features: inout FeatureColumns
  ) throws(HeadraceError) {
    let view = try storedView(view)
    try checkUsable()
    if isFirst { view.events.load(inputs, rowCount: keys.count) }
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + Self.chunkRows, range.upperBound)
      try prepare(view, keys, rows, start..<end)
      lock.withLock {
        view.rows.apply(
          keys, rows, start..<end, entries: chunkEntries, events: view.events, headers: headers, into: &features)
      }
      evict()
      start = end
    }
  }

  /// As `apply`, and after each row the features of its key go to `matrix`, in the row of the event: its own event and
  /// all before it included, none after it. Read at the event's time.
  ///
  /// - Parameters:
  ///   - rows: those that are read, ascending.
  ///   - applies: for each row of the batch whether the view takes it; the others of `rows` are read only.
  package func applyAndGather(
    view: Int, keys: borrowing EntityKeys, inputs: borrowing [Column], rows: borrowing [Int],
    applies: borrowing [Bool], headers: borrowing EventHeaders, into matrix: FeatureMatrix
  ) throws(HeadraceError) {
    try applyChunks(storedView(view), keys, inputs, rows, rows.indices, headers, matrix: matrix, applies: applies)
  }

  private func applyChunks(
    _ view: StoredView, _ keys: borrowing EntityKeys, _ inputs: borrowing [Column], _ rows: borrowing [Int],
    _ range: Range<Int>, _ headers: borrowing EventHeaders, isLoaded: Bool = false, matrix: FeatureMatrix?,
    applies: borrowing [Bool]
  ) throws(HeadraceError) {
    try checkUsable()
    if !isLoaded, !rows.isEmpty { view.events.load(inputs, rowCount: keys.count) }
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + Self.chunkRows, range.upperBound)
      try prepare(view, keys, rows, start..<end)
      lock.withLock {
        view.rows.apply(
          keys, rows, start..<end, entries: chunkEntries, events: view.events, headers: headers, matrix: matrix,
          applies: applies)
      }
      evict()
      start = end
    }
  }

  /// Merges pre-aggregated rows of the same view into the rows of their keys.
  ///
  /// - Parameters:
  ///   - deltas: the bytes of a `FeatureRow` for each key.
  ///   - rows: indexes into `keys` and `deltas`.
  ///   - nextOffset: behind the last record of the batch. Reads that come before all of it is merged see it already,
  ///     and so know that they cannot tell which part they saw.
  ///   - touches: of the view, when it has a history by tiles: takes notice of every tile that a delta has.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`, and what a delta's bytes are refused with; what was merged then must be
  ///   discarded.
  package func merge(
    view: Int, keys: borrowing EntityKeys, deltas: borrowing TextBuffer, rows: borrowing [Int],
    watermarkMilliseconds: Int64, nextOffset: Int64, touches: TileTouches? = nil
  ) throws(HeadraceError) {
    try checkUsable()
    let view = try storedView(view)
    let layout = view.namespace.layout
    var delta = ReceivedRow(layout)
    var start = 0
    while start < rows.count {
      let end = min(start + Self.chunkRows, rows.count)
      try prepare(view, keys, rows, start..<end)
      lock.lock()
      defer { lock.unlock() }
      view.rows.noteApplied(upTo: nextOffset)
      for position in start..<end where keys.isValid[rows[position]] {
        let row = rows[position]
        try delta.receive(deltas[row], layout)
        view.rows.merge(
          delta.row, row: row, of: keys, hint: chunkEntries[position - start], watermark: watermarkMilliseconds)
        try touches?.note(delta.row, keys.text[row], keys.hashes[row], watermark: watermarkMilliseconds)
      }
      start = end
    }
    evict()
  }
}
