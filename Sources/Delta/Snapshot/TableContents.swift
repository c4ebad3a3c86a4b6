internal import Core
internal import Storage

/// Files, removed files and transactions of a table, as replaying its log gives them (PROTOCOL.md, "Action
/// Reconciliation"): of each file and each application the newest word counts.
struct TableContents: Sendable {
  var files: [BlobName: DataFile] = [:]
  var removed: [BlobName: RemovedFile] = [:]
  var transactions: [String: ApplicationTransaction] = [:]

  /// Applies one commit. Actions of a commit have no order: removals go first, so that a file which is removed and
  /// added again at once is there.
  mutating func apply(_ actions: [LogAction]) {
    for case .remove(let file) in actions {
      files[file.path.name] = nil
      removed[file.path.name] = file
    }
    for action in actions {
      switch action {
      case .add(let file):
        files[file.path.name] = file
        removed[file.path.name] = nil
      case .transaction(let transaction): transactions[transaction.applicationID] = transaction
      case .remove, .tableProtocol, .metadata, .commitInfo: continue
      }
    }
  }
}

/// A replay that has not met the table's protocol and metadata yet.
struct LogReplay {
  var contents = TableContents()
  private(set) var tableProtocol: TableProtocol?
  private(set) var metadata: TableMetadata?

  mutating func apply(_ actions: [LogAction], _ place: String) throws(HeadraceError) {
    try Self.requireReadable(actions, place)
    for action in actions {
      switch action {
      case .tableProtocol(let found): tableProtocol = found
      case .metadata(let found): metadata = found
      default: continue
      }
    }
    contents.apply(actions)
  }

  /// - Throws: DELTA_UNSUPPORTED as soon as a commit asks for more than this module knows.
  static func requireReadable(_ actions: [LogAction], _ place: String) throws(HeadraceError) {
    for action in actions {
      switch action {
      case .tableProtocol(let found): try found.requireReadable(place)
      case .metadata(let found): try found.requireReadable(place)
      default: continue
      }
    }
  }

  /// - Throws: DELTA_LOG_CORRUPT when there is no protocol or no metadata.
  func snapshot(
    version: Int64, timestampMilliseconds: Int64, _ place: String
  ) throws(HeadraceError) -> TableSnapshot {
    guard let tableProtocol, let metadata else {
      throw .corruptLog("the log up to version \(version) has no protocol or no metaData", place)
    }
    return TableSnapshot(
      version: version, timestampMilliseconds: timestampMilliseconds, tableProtocol: tableProtocol, metadata: metadata,
      contents: contents)
  }
}
