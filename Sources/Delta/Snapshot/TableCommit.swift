package import Core

/// An entry of a table's log, as its history tells it.
package struct TableCommit: Sendable {
  package var version: Int64
  /// By the store's clock, later than the version before: the time that `Moment.timestamp` finds it by.
  package var timestampMilliseconds: Int64
  /// What its writer says of it; nil when it says nothing.
  package var info: CommitInfo?
  package var addedFiles = 0
  package var addedBytes: Int64 = 0
  package var removedFiles = 0
  /// How far it brought applications.
  package var transactions: [ApplicationTransaction] = []

  fileprivate init(version: Int64, timestampMilliseconds: Int64, _ actions: [LogAction]) {
    self.version = version
    self.timestampMilliseconds = timestampMilliseconds
    for action in actions {
      switch action {
      case .commitInfo(let found): info = found
      case .add(let file):
        addedFiles += 1
        addedBytes &+= file.sizeBytes
      case .remove: removedFiles += 1
      case .transaction(let transaction): transactions.append(transaction)
      case .tableProtocol, .metadata: continue
      }
    }
  }
}

extension DeltaTable {
  /// The newest commits up to the known version, newest first, as far back as the log goes.
  ///
  /// - Throws: DELTA_LOG_CORRUPT.
  package func history(countMax: Int) throws(HeadraceError) -> [TableCommit] {
    guard countMax > 0 else { return [] }
    let oldest = max(0, snapshot.version &- Int64(countMax) &+ 1)
    // All of it: what a version's time is depends on the versions before it.
    let listing = try log.listing()
    var first = snapshot.version
    guard listing.commits[first] != nil else { return [] }
    while first > oldest, listing.commits[first - 1] != nil { first -= 1 }
    let times = Dictionary(listing.timestamps.map { ($0.version, $0.milliseconds) }) { first, _ in first }
    return try log.allCommits(first...snapshot.version).reversed().map { version, actions in
      TableCommit(version: version, timestampMilliseconds: times[version] ?? 0, actions)
    }
  }
}
