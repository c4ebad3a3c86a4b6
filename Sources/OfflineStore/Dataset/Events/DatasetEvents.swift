package import Columns
package import Core
internal import Delta
package import Storage

/// The events of one source: the contract's fields, then `EventArchive.decisions`, whether they come from the archive
/// or from the log.
package protocol DatasetEvents: Sendable {
  /// Which state of what is read: enough to read the same again.
  var origin: EventOrigin { get }
  /// Parts that several threads may read at once.
  var pieceCount: Int { get }
  /// About how many events there are.
  var rowCount: Int { get }

  /// Hands over one piece, batch by batch.
  func forEachBatch(
    of piece: Int, _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError)
}

/// Where a source's events came from.
package struct EventOrigin: Sendable, Equatable {
  package var source: String
  /// `events/<source>` and its version; nil of the log.
  package var table: String?
  package var version: Int64
  /// The topic that was read; nil of the archive.
  package var topic: String?
  /// Offsets behind the last event: of a table by the application that wrote it, of a topic by partition.
  package var offsets: [(name: String, offset: Int64)]

  package init(
    source: String, table: String? = nil, version: Int64 = 0, topic: String? = nil,
    offsets: [(name: String, offset: Int64)]
  ) {
    self.source = source
    self.table = table
    self.version = version
    self.topic = topic
    self.offsets = offsets
  }

  package static func == (left: Self, right: Self) -> Bool {
    (left.source, left.table, left.version, left.topic) == (right.source, right.table, right.version, right.topic)
      && left.offsets.elementsEqual(right.offsets) { $0 == $1 }
  }
}

/// The archive of a source: one piece for each of its files.
package struct ArchivedEvents: DatasetEvents {
  package let origin: EventOrigin
  package let rowCount: Int
  private let table: DeltaTable
  private let files: [DataFile]
  private let columns: [String]

  /// - Parameters:
  ///   - fields: the contract's, as the table has them.
  ///   - version: nil for the newest.
  /// - Returns: nil when there is no such table.
  package init?(
    _ store: any BlobStore, source: String, fields: [OfflineTable.Field], version: Int64? = nil
  ) throws(HeadraceError) {
    let name = EventArchive.name(source: source)
    let moment = version.map { DeltaTable.Moment.version($0) } ?? .newest
    guard let table = try DeltaTable.open(store, try BlobName(name), at: moment) else { return nil }
    self.table = table
    files = table.snapshot.files(where: [])
    columns = fields.map(\.name) + EventArchive.decisions.map(\.name)
    // Archives take about 20 bytes an event at least.
    rowCount = Int(clamping: table.snapshot.rowCount ?? files.reduce(0) { $0 + $1.sizeBytes / 20 })
    origin = EventOrigin(
      source: source, table: name, version: table.snapshot.version,
      offsets: table.snapshot.transactions.map { ($0.applicationID, $0.version) }.sorted { $0.0 < $1.0 })
  }

  package var pieceCount: Int { files.count }

  package func forEachBatch(
    of piece: Int, _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let scan = try TableScan(table, columns: columns, files: [files[piece]])
    var batch = ColumnBatch(scan.types)
    while try scan.next(into: &batch) { try body(batch) }
  }
}
