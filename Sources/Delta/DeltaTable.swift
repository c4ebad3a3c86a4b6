package import Core
package import Storage

/// A Delta table in a blob store: reader version 1, writer version 2 (PROTOCOL.md of the Delta project).
///
/// A value that knows the table as it was when it last looked; `refresh` looks again. Any number of processes may write
/// one table: each commit is one object whose name only one of them can win.
package struct DeltaTable: Sendable {
  package let store: any BlobStore
  /// The table's folder in the store.
  package let root: BlobName
  package internal(set) var snapshot: TableSnapshot
  let log: TableLog

  init(_ log: TableLog, _ snapshot: TableSnapshot) {
    self.log = log
    self.snapshot = snapshot
    store = log.store
    root = log.root
  }

  /// Which version to read.
  package enum Moment: Sendable, Equatable {
    case newest
    case version(Int64)
    /// The newest version that was written at that time or before it.
    case timestamp(milliseconds: Int64)
  }

  /// - Returns: nil when there is no table.
  /// - Throws: DELTA_NO_VERSION for a moment that the log does not reach; DELTA_LOG_CORRUPT, DELTA_LOG_GAP; what the
  ///   table asks for and this module does not know: DELTA_UNSUPPORTED.
  package static func open(
    _ store: any BlobStore, _ root: BlobName, at moment: Moment = .newest
  ) throws(HeadraceError) -> DeltaTable? {
    let log = try TableLog(store: store, root: root)
    let snapshot: TableSnapshot?
    switch moment {
    case .newest: snapshot = try log.snapshot()
    case .version(let version): snapshot = try log.snapshot(version: version)
    case .timestamp(let milliseconds):
      guard let version = try log.version(atMilliseconds: milliseconds) else { return nil }
      snapshot = try log.snapshot(version: version)
    }
    return snapshot.map { DeltaTable(log, $0) }
  }

  /// Makes a table; version 0 is its columns.
  ///
  /// - Throws: DELTA_TABLE_EXISTS.
  package static func create(
    _ store: any BlobStore, _ root: BlobName, schema: DeltaSchema, partitionColumns: [String] = [],
    configuration: [String: String] = [:], name: String? = nil, nowMilliseconds: Int64
  ) throws(HeadraceError) -> DeltaTable {
    let log = try TableLog(store: store, root: root)
    let metadata = try TableMetadata(
      id: UniqueID.random(), name: name, schema: schema, partitionColumns: partitionColumns,
      createdMilliseconds: nowMilliseconds, configuration: configuration)
    try metadata.requireReadable(log.place)
    try metadata.requireWritable(log.place)
    var info = CommitDescription(operation: "CREATE TABLE")
    info.parameters = [("mode", "ErrorIfExists")]
    let actions: [LogAction] = [
      .commitInfo(info.commitInfo(nowMilliseconds: nowMilliseconds)), .tableProtocol(.current), .metadata(metadata),
    ]
    guard case .created = try store.create(try log.name(.commit(0)), CommitText.bytes(actions)) else {
      throw .deltaUser("DELTA_TABLE_EXISTS", "there is a table already", log.place, remedy: "open it")
    }
    var replay = LogReplay()
    try replay.apply(actions, log.place)
    return DeltaTable(
      log, try replay.snapshot(version: 0, timestampMilliseconds: nowMilliseconds, log.place))
  }

  /// Opens a table, or makes it: of several that try at once, one makes it and all open it.
  package static func openOrCreate(
    _ store: any BlobStore, _ root: BlobName, schema: DeltaSchema, partitionColumns: [String] = [],
    configuration: [String: String] = [:], name: String? = nil, nowMilliseconds: Int64
  ) throws(HeadraceError) -> DeltaTable {
    if let table = try open(store, root) { return table }
    do throws(HeadraceError) {
      return try create(
        store, root, schema: schema, partitionColumns: partitionColumns, configuration: configuration, name: name,
        nowMilliseconds: nowMilliseconds)
    } catch {
      guard error.code == "DELTA_TABLE_EXISTS", let table = try open(store, root) else { throw error }
      return table
    }
  }

  /// What errors call the table.
  package var place: String { log.place }

  /// Takes up what was committed since.
  package mutating func refresh() throws(HeadraceError) {
    let before = snapshot.version
    do throws(HeadraceError) {
      for (version, actions) in try newCommits() { try advance(to: version, actions) }
    } catch {
      // The log in between was cleaned up: a checkpoint stands for it.
      guard error.code == "DELTA_LOG_GAP", let newest = try log.snapshot(), newest.version >= before else {
        throw error
      }
      snapshot = newest
    }
  }

  /// Commits behind the known version, as far as they are there.
  func newCommits() throws(HeadraceError) -> [(version: Int64, actions: [LogAction])] {
    guard let newest = try log.listing(from: snapshot.version + 1).newestVersion, newest > snapshot.version else {
      return []
    }
    return try log.allCommits((snapshot.version + 1)...newest)
  }

  mutating func advance(to version: Int64, _ actions: [LogAction]) throws(HeadraceError) {
    try snapshot.advance(to: version, actions, "\(place) version \(version)")
  }
}

extension TableLog {
  /// - Returns: nil when there is no table.
  /// - Throws: DELTA_NO_VERSION when the log does not reach back so far.
  func version(atMilliseconds milliseconds: Int64) throws(HeadraceError) -> Int64? {
    let timestamps = try listing().timestamps
    guard let first = timestamps.first else { return nil }
    guard let found = timestamps.last(where: { $0.milliseconds <= milliseconds }) else {
      throw .deltaUser(
        "DELTA_NO_VERSION",
        "the log begins with version \(first.version), at \(RFC3339.text(milliseconds: first.milliseconds))",
        place, remedy: "read a later time")
    }
    return found.version
  }
}
