internal import Core
package import Storage

/// A change of a table, to be committed as a whole or not at all.
package struct TableTransaction: Sendable {
  package var description: CommitDescription
  package var added: [DataFile] = []
  package var removed: [RemovedFile] = []
  /// How far applications will have written.
  package var moves: [TransactionMove] = []
  /// The table's new columns or properties.
  package var metadata: TableMetadata?
  /// Whether what is written depends on all rows of the table: then other writers' new rows are a conflict.
  package var readsWholeTable = false

  package init(_ description: CommitDescription) { self.description = description }

  /// New rows, and how far they bring an application.
  package static func append(
    _ files: [DataFile], moves: [TransactionMove] = [], provenance: CommitProvenance? = nil
  ) -> TableTransaction {
    var description = CommitDescription(operation: "WRITE")
    description.parameters = [("mode", "Append")]
    description.provenance = provenance
    var transaction = TableTransaction(description)
    transaction.added = files
    transaction.moves = moves
    return transaction
  }

  /// New columns; rows that are there have null in them.
  package static func evolution(_ metadata: TableMetadata) -> TableTransaction {
    var transaction = TableTransaction(CommitDescription(operation: "ADD COLUMNS"))
    transaction.metadata = metadata
    return transaction
  }
}

/// An application's progress: from the version that the rows were made after, to the one that they reach.
///
/// The protocol remembers the newest version only and checks nothing. A commit with a move takes place only if the
/// table still says `from`, so that a slow or resurrected writer cannot write rows a second time.
package struct TransactionMove: Hashable, Sendable {
  package var applicationID: String
  /// Nil: it has never written.
  package var from: Int64?
  package var to: Int64

  package init(applicationID: String, from: Int64?, to: Int64) {
    self.applicationID = applicationID
    self.from = from
    self.to = to
  }
}

/// How a commit ended.
package enum CommitOutcome: Sendable, Equatable {
  case committed(version: Int64)
  /// Nothing was written: the transaction has to be made anew from the table as it is now.
  case conflict(CommitConflict)
}

/// What another writer did that a transaction cannot stand beside.
package enum CommitConflict: Sendable, Equatable {
  /// An application is not where the rows begin: they may be in the table already.
  case transactionMoved(applicationID: String, expected: Int64?, found: Int64?)
  case metadataChanged(version: Int64)
  case protocolChanged(version: Int64)
  /// A file that was to be removed is gone.
  case fileRemoved(BlobName)
  /// Rows came to a table that was read as a whole.
  case rowsAdded(version: Int64)
}

/// What `commitInfo` says of a commit.
package struct CommitDescription: Sendable {
  package var operation: String
  package var parameters: [(name: String, value: String)] = []
  package var metrics: [(name: String, value: Int64)] = []
  package var provenance: CommitProvenance?

  package init(operation: String) { self.operation = operation }
}

/// Which events are in a commit: our own addition to `commitInfo`, under `headrace`.
package struct CommitProvenance: Hashable, Sendable {
  /// For each topic and partition the offset behind the last event.
  package var offsets: [TopicPartitionOffset] = []
  package var watermarkMilliseconds: Int64?
  package var planFingerprint: String?

  package init() {}

  package struct TopicPartitionOffset: Hashable, Sendable {
    package var topic: String
    package var partition: Int32
    package var offset: Int64

    package init(topic: String, partition: Int32, offset: Int64) {
      self.topic = topic
      self.partition = partition
      self.offset = offset
    }
  }
}
