internal import Columns
package import Core
internal import Features
internal import Rocks

/// Which keys of a view were touched in which tile of event time: what its history has to say when a tile ends, and
/// when it is final.
///
/// A tile ends at the first record whose watermark reaches its end: then each of its keys gets a row. It is final when
/// the watermark is past its end by the lateness: then each key that an event changed since gets another row. At its
/// times nobody can read any more, and the keys are forgotten. Both are arithmetic on the watermark, so what a tile
/// needs to know of a key is that it was touched and two marks; these are written with the checkpoint of the store that
/// it belongs to, under (namespace, end, key).
///
/// The worker's: one thread uses it.
package final class TileTouches {
  let namespace: UInt32
  /// Length of the tiles.
  package let spanMilliseconds: Int64
  private let lateness: Int64
  private let layout: ViewLayout
  private let database: Database
  /// In the order of their ends. Tiles that were final at the last checkpoint are not among them.
  private var buckets: [TileBucket] = []
  /// Tiles that end here or earlier are final.
  private var finalUpTo = Int64.min
  private var savedFinalUpTo = Int64.min
  /// `finalUpTo` of the checkpoint that is being written.
  private var savingFinalUpTo: Int64?
  private var scratch: [UInt8] = []

  /// Of all tiles in memory; what is more is read from the disk again.
  private static let memoryBytesMaximum = 32 << 20

  /// - Parameter layout: one that has tiles.
  init(_ namespace: UInt32, _ layout: ViewLayout, span: Int64, database: Database) throws(HeadraceError) {
    self.namespace = namespace
    self.layout = layout
    spanMilliseconds = span
    lateness = layout.definition.latenessMilliseconds
    self.database = database
    try loadEnds()
  }

  /// One row of the history that is due.
  package struct Due: Sendable {
    /// When it is read: the last millisecond of the tile.
    package var time: Int64
    package var revision: Int64
    package var keys = EntityKeys()
  }

  /// Takes notice of events that were applied.
  package func note(
    _ keys: borrowing EntityKeys, _ rows: borrowing [Int], _ range: Range<Int>, _ headers: borrowing EventHeaders
  ) throws(HeadraceError) {
    for position in range {
      let row = rows[position]
      guard keys.isValid[row] else { continue }
      try note(
        keys.text[row], keys.hashes[row], time: headers.eventTimesMilliseconds[row],
        watermark: headers.watermarksMilliseconds[row])
    }
  }

  /// Takes notice of everything that a row has which was merged into a key's at a watermark.
  func note(
    _ delta: borrowing FeatureRow, _ key: RawSpan, _ hash: UInt64, watermark: Int64
  ) throws(HeadraceError) {
    var starts: [Int64] = []
    layout.forEachFinestTile(of: delta) { starts.append($0) }
    for start in starts { try note(key, hash, time: start, watermark: watermark) }
  }

  /// Takes notice of an event of a key that was applied at a watermark.
  func note(_ key: RawSpan, _ hash: UInt64, time: Int64, watermark: Int64) throws(HeadraceError) {
    let start = floor(time)
    let (end, overflow) = start.addingReportingOverflow(spanMilliseconds)
    guard !overflow else { return }
    guard end <= watermark else {
      let index = try bucket(end)
      if buckets[index].find(key, hash) < 0 { buckets[index].insert(key, hash, []) }
      return
    }
    try noteLate(key, hash, end, watermark)
  }

  /// An event came behind the end of its tile: the rows of that tile and of later ones, as far as they can still be
  /// read, have other values now.
  private func noteLate(_ key: RawSpan, _ hash: UInt64, _ end: Int64, _ watermark: Int64) throws(HeadraceError) {
    let final = watermark.subtractingSaturating(lateness)
    if end > final {
      let index = try bucket(end)
      let position = try find(key, hash, in: index)
      if position >= 0 {
        buckets[index].mark(position, .changed)
      } else {
        buckets[index].insert(key, hash, [.late, .changed])
      }
    }
    for index in buckets.indices
    where buckets[index].end > max(end, final) && buckets[index].end <= watermark {
      let position = try find(key, hash, in: index)
      if position >= 0 { buckets[index].mark(position, .changed) }
    }
  }

  /// The next watermark at which a tile ends or is final.
  package func nextBoundary(after watermark: Int64) -> Int64 {
    guard watermark > .min else { return .min }
    let end = floor(watermark).addingSaturating(spanMilliseconds)
    let final = floor(watermark.subtractingSaturating(lateness)).addingSaturating(spanMilliseconds)
    return min(end, final.addingSaturating(lateness))
  }

  /// The rows that are due when the watermark moves, in the order of the history: by tile, then by key. To be read
  /// before the record that moves it is applied.
  package func due(from before: Int64, to after: Int64) throws(HeadraceError) -> [Due] {
    var due: [Due] = []
    let final = after.subtractingSaturating(lateness)
    for index in buckets.indices where buckets[index].end <= after {
      let end = buckets[index].end
      if end > before {
        try load(index)
        due.append(Due(time: end - 1, revision: 0, keys: keys(of: index, with: [], without: .late)))
      } else if end <= final, end > before.subtractingSaturating(lateness) {
        try load(index)
        due.append(Due(time: end - 1, revision: 0, keys: keys(of: index, with: [.late, .changed], without: [])))
        due.append(Due(time: end - 1, revision: 1, keys: keys(of: index, with: .changed, without: .late)))
      }
    }
    finalUpTo = max(finalUpTo, final)
    buckets.removeAll { $0.end <= final }
    return due.filter { $0.keys.count > 0 }
  }

  private func keys(
    of index: Int, with wanted: TileBucket.Marks, without unwanted: TileBucket.Marks
  ) -> EntityKeys {
    var keys = EntityKeys()
    for position in buckets[index].positions(with: wanted, without: unwanted) {
      buckets[index].appendKey(position, to: &keys)
    }
    return keys
  }

  private func floor(_ time: Int64) -> Int64 {
    let remainder = time % spanMilliseconds
    return remainder < 0 ? time.subtractingSaturating(remainder &+ spanMilliseconds) : time &- remainder
  }
}

// Tiles in memory and on the disk.
extension TileTouches {
  /// The position of a tile, which is made if need be.
  private func bucket(_ end: Int64) throws(HeadraceError) -> Int {
    if let last = buckets.last, last.end == end { return buckets.count - 1 }
    let index = buckets.firstIndex { $0.end >= end } ?? buckets.count
    if index < buckets.count, buckets[index].end == end { return index }
    // Every tile that the disk has is known: this one is new.
    buckets.insert(TileBucket(end: end, isComplete: true), at: index)
    return index
  }

  /// The position of a key's entry, taken from the disk if need be; -1 when there is none.
  private func find(_ key: RawSpan, _ hash: UInt64, in index: Int) throws(HeadraceError) -> Int {
    let position = buckets[index].find(key, hash)
    guard position < 0, !buckets[index].isComplete else { return position }
    guard let value = try database.get(diskKey(buckets[index].end, key), in: StoreFamily.touches) else { return -1 }
    buckets[index].insert(key, hash, try marks(value.bytes), isSaved: true)
    return buckets[index].entries.count - 1
  }

  private func load(_ index: Int) throws(HeadraceError) {
    guard !buckets[index].isComplete else { return }
    let end = buckets[index].end
    var iterator = try database.iterator(in: StoreFamily.touches, from: diskKey(end), to: diskKey(end + 1))
    while try iterator.next() {
      let key = iterator.key.extracting(Self.prefixBytes..<iterator.key.byteCount)
      let hash = Hash64.hash(key)
      if buckets[index].find(key, hash) < 0 {
        buckets[index].insert(key, hash, try marks(iterator.value), isSaved: true)
      }
    }
    buckets[index].isComplete = true
  }

  /// Which tiles the disk has: a look at the first key of each.
  private func loadEnds() throws(HeadraceError) {
    buckets = []
    var next = Int64.min
    while true {
      var iterator = try database.iterator(
        in: StoreFamily.touches, from: diskKey(next), to: namespace == .max ? nil : MetaRecord.bytes(namespace + 1))
      guard try iterator.next() else { return }
      guard iterator.key.byteCount >= Self.prefixBytes else { throw corrupt("a key of its tiles is cut off") }
      let end = Self.end(of: iterator.key)
      buckets.append(TileBucket(end: end, isComplete: false))
      guard end < .max else { return }
      next = end + 1
    }
  }

  /// Namespace and end, so that keys of a tile lie together and tiles in the order of time.
  private static let prefixBytes = 12

  private func diskKey(_ end: Int64) -> [UInt8] {
    let ordered = UInt64(bitPattern: end) ^ (1 << 63)
    return unsafe withUnsafeBytes(of: ordered.bigEndian) { unsafe MetaRecord.bytes(namespace) + $0 }
  }

  private func diskKey(_ end: Int64, _ key: RawSpan) -> [UInt8] {
    var bytes = diskKey(end)
    unsafe key.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    return bytes
  }

  private static func end(of key: RawSpan) -> Int64 {
    let ordered = UInt64(bigEndian: unsafe key.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt64.self))
    return Int64(bitPattern: ordered ^ (1 << 63))
  }

  private func marks(_ value: RawSpan) throws(HeadraceError) -> TileBucket.Marks {
    guard value.byteCount == 1 else { throw corrupt("the marks of a key have \(value.byteCount) bytes") }
    return TileBucket.Marks(rawValue: unsafe value.unsafeLoad(as: UInt8.self))
  }

  private func corrupt(_ what: String) -> HeadraceError {
    .corruptState("tiles of \(layout.definition.name): \(what)", place: database.path)
  }
}

// The checkpoint.
extension TileTouches {
  /// What the next checkpoint writes, roughly.
  var unsavedBytes: Int { buckets.reduce(0) { $0 + $1.unsaved.count * Self.entryBytes } }
  private static let entryBytes = 64

  /// Writes what is not on the disk into the batch of a checkpoint.
  func beginSaving(into batch: inout WriteBatch) {
    write(into: &batch)
    savingFinalUpTo = finalUpTo
    for index in buckets.indices { buckets[index].noteTaken() }
  }

  private func write(into batch: inout WriteBatch) {
    if finalUpTo > savedFinalUpTo {
      batch.deleteRange(from: diskKey(.min), to: diskKey(finalUpTo.addingSaturating(1)), in: StoreFamily.touches)
    }
    for index in buckets.indices where !buckets[index].unsaved.isEmpty {
      let prefix = diskKey(buckets[index].end)
      for position in buckets[index].unsaved {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: prefix)
        buckets[index].appendKey(position, to: &scratch)
        batch.put(scratch, [buckets[index].entries[position].marks.rawValue], in: StoreFamily.touches)
      }
    }
  }

  func endSaving() {
    guard let saved = savingFinalUpTo.take() else { return }
    savedFinalUpTo = saved
    guard buckets.reduce(0, { $0 + $1.sizeBytes }) > Self.memoryBytesMaximum else { return }
    for index in buckets.indices { buckets[index].forgetSaved() }
  }

  /// The batch is not on the disk: the next one takes it, and all else that is in memory, which costs time only.
  func undoSaving() {
    guard savingFinalUpTo.take() != nil else { return }
    for index in buckets.indices { buckets[index].noteRefused() }
  }
}
