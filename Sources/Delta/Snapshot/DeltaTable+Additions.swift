package import Core

/// What happened to a table's rows between two versions.
package enum TableAdditions: Sendable, Equatable {
  /// Rows came, and none went: the files that they came in, some of which later versions may have rewritten.
  case appended([DataFile])
  /// Rows that were there are gone or changed since; the first version that did so.
  case rewritten(version: Int64)
}

extension DeltaTable {
  /// What came since an earlier version.
  ///
  /// - Throws: DELTA_LOG_GAP when the log does not reach back so far.
  package func additions(after version: Int64) throws(HeadraceError) -> TableAdditions {
    guard version < snapshot.version else { return .appended([]) }
    var added: [DataFile] = []
    for (version, actions) in try log.allCommits((version + 1)...snapshot.version) {
      for action in actions {
        switch action {
        // A compaction brings the rows of the files that it takes: no change.
        case .add(let file): if file.isDataChange { added.append(file) }
        case .remove(let file): if file.isDataChange { return .rewritten(version: version) }
        case .commitInfo, .transaction, .tableProtocol, .metadata: continue
        }
      }
    }
    return .appended(added)
  }
}
