package import Core
internal import Features
internal import Rocks

// What the history of a view is made of.
extension TaskStore {
  /// The tiles of a view that its history has to say something of. Ask for it again after `discardUnsaved`.
  ///
  /// - Parameter view: one whose windows have tiles.
  package func touches(ofView view: Int) throws(HeadraceError) -> TileTouches {
    try checkUsable()
    let namespace = try storedView(view).namespace
    if let known = touches.first(where: { $0.namespace == namespace.id }) { return known }
    guard let span = namespace.layout.finestTileMilliseconds else {
      throw HeadraceError(.internal, "STATE_NO_TILES", "the view has no tiles", place: namespace.name)
    }
    do {
      let new = try TileTouches(namespace.id, namespace.layout, span: span, database: database)
      touches.append(new)
      return new
    } catch {
      throw noting(error)
    }
  }

  /// Forgets the tiles of a view that has no history any more.
  package func dropTouches(ofView view: Int) throws(HeadraceError) {
    try checkUsable()
    let id = try storedView(view).namespace.id
    touches.removeAll { $0.namespace == id }
    do {
      let range = MetaRecord.range(ofGroup: id)
      var iterator = try database.iterator(in: StoreFamily.touches, from: range.start, to: range.end)
      guard try iterator.next() else { return }
      var batch = try WriteBatch(for: database)
      batch.deleteRange(from: range.start, to: range.end, in: StoreFamily.touches)
      try database.write(batch, sync: true)
    } catch {
      throw noting(error)
    }
  }

  /// Reads all features of some entities, as they are now.
  ///
  /// - Parameters:
  ///   - keys: of the entities in `range`; all valid, at most `chunkRows`.
  ///   - features: gets a row for each of them.
  package func read(
    view: Int, keys: borrowing EntityKeys, range: Range<Int>, at time: Int64, watermark: Int64,
    into features: inout FeatureColumns
  ) throws(HeadraceError) {
    try checkUsable()
    let view = try storedView(view)
    let rows = Array(0..<range.upperBound)
    try prepare(view, keys, rows, range)
    let layout = view.namespace.layout
    for index in chunkEntries.prefix(range.count) {
      if index >= 0 {
        unsafe features.append(
          view.rows.table.entry(index).pointee.row, of: layout, at: time, watermark: watermark)
      } else {
        features.appendMissing(of: layout)
      }
    }
    evict()
  }
}
