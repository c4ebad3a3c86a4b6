internal import Core
package import Storage

/// A table at one version: a value that stays as it is, whatever happens to the table.
package struct TableSnapshot: Sendable {
  package private(set) var version: Int64
  /// When that version was written, by the store's clock.
  package private(set) var timestampMilliseconds: Int64
  package private(set) var tableProtocol: TableProtocol
  package private(set) var metadata: TableMetadata
  private(set) var contents: TableContents

  init(
    version: Int64, timestampMilliseconds: Int64, tableProtocol: TableProtocol, metadata: TableMetadata,
    contents: TableContents
  ) {
    self.version = version
    self.timestampMilliseconds = timestampMilliseconds
    self.tableProtocol = tableProtocol
    self.metadata = metadata
    self.contents = contents
  }

  /// Becomes the next version, in place: nothing is copied unless somebody holds the old one.
  mutating func advance(to version: Int64, _ actions: [LogAction], _ place: String) throws(HeadraceError) {
    try LogReplay.requireReadable(actions, place)
    for action in actions {
      switch action {
      case .tableProtocol(let found): tableProtocol = found
      case .metadata(let found): metadata = found
      case .commitInfo(let info):
        timestampMilliseconds = max(timestampMilliseconds, info.timestampMilliseconds ?? timestampMilliseconds)
      default: continue
      }
    }
    contents.apply(actions)
    self.version = version
  }

  /// The files with the table's rows, in the order of their names.
  package var files: [DataFile] { contents.files.values.sorted { $0.path.name < $1.path.name } }

  package var fileCount: Int { contents.files.count }

  package func file(_ name: BlobName) -> DataFile? { contents.files[name] }

  /// Files that older versions have and this one does not, as far as they are remembered.
  package var removedFiles: [RemovedFile] { contents.removed.values.sorted { $0.path.name < $1.path.name } }

  /// How far an application has written; nil when it never has.
  package func transactionVersion(_ applicationID: String) -> Int64? { contents.transactions[applicationID]?.version }

  package var transactions: [ApplicationTransaction] {
    contents.transactions.values.sorted { $0.applicationID < $1.applicationID }
  }

  /// The number of rows, when all files say it.
  package var rowCount: Int64? {
    var sum: Int64 = 0
    for file in contents.files.values {
      guard let rows = FileStatistics(file)?.rowCount else { return nil }
      let (next, overflows) = sum.addingReportingOverflow(rows)
      guard !overflows else { return nil }
      sum = next
    }
    return sum
  }
}
