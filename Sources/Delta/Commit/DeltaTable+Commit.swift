package import Core
internal import Storage

extension DeltaTable {
  /// Commits a transaction as the next version, or says why it cannot be.
  ///
  /// The log decides: whoever creates the object of a version owns it. A loser reads the winner's commit, checks
  /// whether both can stand, and tries the version behind it. In between nothing is written but orphans, which nobody
  /// sees and `vacuum` removes. After a conflict the table knows the commits that caused it.
  ///
  /// - Throws: `.unknownOutcome` when the store does not say whether the commit took place: open the table again, and
  ///   see how far the application has come. DELTA_UNSUPPORTED, DELTA_APPEND_ONLY, DELTA_LOG_CORRUPT.
  package mutating func commit(
    _ transaction: TableTransaction, nowMilliseconds: Int64
  ) throws(HeadraceError) -> CommitOutcome {
    try requireAllowed(transaction)
    if conflict(of: transaction) != nil { try refresh() }
    if let conflict = conflict(of: transaction) { return .conflict(conflict) }
    let actions = transaction.actions(nowMilliseconds: nowMilliseconds)
    let bytes = CommitText.bytes(actions)
    var isLate = false
    DeltaKillPoint.pass(.commitBeforeLog)
    while true {
      let version = snapshot.version + 1
      let name = try log.name(.commit(version))
      switch try store.create(name, bytes) {
      case .created:
        DeltaKillPoint.pass(.commitAfterLog)
        try advance(to: version, actions)
        return .committed(version: version)
      case .exists(let winner):
        let first = (version: version, actions: try log.actions(winner, version: version))
        if let conflict = try take([first], beside: transaction) { return .conflict(conflict) }
        // Several versions behind: read them at once instead of losing race after race.
        if isLate, let conflict = try take(try newCommits(), beside: transaction) { return .conflict(conflict) }
        isLate = true
      }
    }
  }

  private func requireAllowed(_ transaction: TableTransaction) throws(HeadraceError) {
    try snapshot.tableProtocol.requireWritable(place)
    let metadata = transaction.metadata ?? snapshot.metadata
    try metadata.requireReadable(place)
    try metadata.requireWritable(place)
    guard !snapshot.metadata.isAppendOnly || !transaction.removed.contains(where: \.isDataChange) else {
      throw .deltaUser(
        "DELTA_APPEND_ONLY", "the table takes new rows only (delta.appendOnly)", place,
        remedy: "set delta.appendOnly to false, if rows shall go")
    }
  }

  /// What the table as it is known has against a transaction.
  private func conflict(of transaction: TableTransaction) -> CommitConflict? {
    for move in transaction.moves {
      let found = snapshot.transactionVersion(move.applicationID)
      guard found == move.from else {
        return .transactionMoved(applicationID: move.applicationID, expected: move.from, found: found)
      }
    }
    for file in transaction.removed where snapshot.contents.files[file.path.name] == nil {
      return .fileRemoved(file.path.name)
    }
    return nil
  }

  /// Takes up other writers' commits.
  ///
  /// - Returns: what in them a transaction cannot stand beside.
  private mutating func take(
    _ commits: [(version: Int64, actions: [LogAction])], beside transaction: TableTransaction
  ) throws(HeadraceError) -> CommitConflict? {
    var conflict: CommitConflict?
    for (version, actions) in commits {
      try advance(to: version, actions)
      conflict = conflict ?? transaction.conflict(with: actions, version: version)
    }
    return conflict
  }
}

extension TableTransaction {
  /// New rows of others never matter, unless all rows were read: appenders do not wait for one another.
  fileprivate func conflict(with winner: [LogAction], version: Int64) -> CommitConflict? {
    for action in winner {
      switch action {
      case .tableProtocol: return .protocolChanged(version: version)
      case .metadata: return .metadataChanged(version: version)
      case .transaction(let found):
        guard let move = moves.first(where: { $0.applicationID == found.applicationID }) else { continue }
        return .transactionMoved(applicationID: move.applicationID, expected: move.from, found: found.version)
      case .remove(let file):
        if removed.contains(where: { $0.path.name == file.path.name }) { return .fileRemoved(file.path.name) }
      case .add(let file):
        if readsWholeTable && file.isDataChange { return .rowsAdded(version: version) }
      case .commitInfo: continue
      }
    }
    return nil
  }

  fileprivate func actions(nowMilliseconds: Int64) -> [LogAction] {
    let isBlind = removed.isEmpty && metadata == nil && !readsWholeTable
    var actions: [LogAction] = [
      .commitInfo(described.commitInfo(nowMilliseconds: nowMilliseconds, isBlindAppend: isBlind))
    ]
    if let metadata { actions.append(.metadata(metadata)) }
    actions += moves.map { move in
      .transaction(
        ApplicationTransaction(
          applicationID: move.applicationID, version: move.to, updatedMilliseconds: nowMilliseconds))
    }
    actions += removed.map { .remove($0) }
    actions += added.map { .add($0) }
    return actions
  }

  private var described: CommitDescription {
    var description = description
    description.metrics += [
      ("numFiles", Int64(added.count)), ("numRemovedFiles", Int64(removed.count)),
      ("numOutputBytes", added.reduce(0) { $0 &+ $1.sizeBytes }),
    ]
    return description
  }
}
