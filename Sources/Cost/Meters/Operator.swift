/// What a process spends its time on: the rows of every account.
package enum Operator: String, CaseIterable, Sendable {
  /// Waiting for records and taking them over from the client.
  case poll
  /// Bytes to columns, derived columns included.
  case decode
  /// Contract, skew, filter, deduplication, lateness.
  case checks
  case keys
  /// Changing rows of views.
  case views
  /// Gathering, computing and scoring vectors.
  case models
  /// Models that another server scores: its GPU and its tokens are in here.
  case remoteModels = "remote_models"
  /// Events that a model leaves out while it scores a sample: counted, and free.
  case skipped
  /// Writing predictions, deltas, late and dead letters.
  case outputs
  /// Rows that wait for their tables.
  case spool
  /// Transactions, on their own threads.
  case commit
  case checkpoint
  /// Bringing rows into tables: the event archive, histories of features.
  case archive
  /// Answering HTTP.
  case serving
  /// Scoring what comes over HTTP.
  case inference
  /// Holding served values against the archive.
  case parity
  /// Watching predictions, events and labels for drift.
  case monitoring
  /// Threads of the Kafka client: sockets, compression, checksums.
  case client
  /// Threads of RocksDB: flushes and compactions.
  case compaction
  /// The embedded log, where it runs in the same process.
  case broker
  /// Everything else that has a thread and a name: reports, clocks, signals, the runtime.
  case housekeeping
  /// What no thread that was seen accounts for.
  case unattributed
}

/// Whose work it is.
package struct Subject: Hashable, Sendable, Comparable {
  package enum Kind: String, CaseIterable, Sendable {
    /// Nobody's in particular.
    case process
    case source, view, model, table
  }

  package var kind: Kind
  package var name: String

  package init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  package static let process = Subject(.process, "")
  package static func source(_ name: String) -> Subject { Subject(.source, name) }
  package static func view(_ name: String) -> Subject { Subject(.view, name) }
  package static func model(_ name: String) -> Subject { Subject(.model, name) }
  package static func table(_ name: String) -> Subject { Subject(.table, name) }

  package static func < (left: Self, right: Self) -> Bool {
    (left.kind.rawValue, left.name) < (right.kind.rawValue, right.name)
  }
}

/// What is counted of each operator and subject.
package enum Resource: Int, CaseIterable, Sendable {
  case cpuNanoseconds
  /// Events, values, predictions, rows: what the operator handles.
  case items
  /// From the network: Kafka, HTTP, object stores.
  case networkBytesIn
  case networkBytesOut
  /// From and to disks.
  case diskBytesRead
  case diskBytesWritten
  case gpuMicroseconds
  case inputTokens
  case outputTokens

  /// As reports and tables name it.
  package var name: String {
    switch self {
    case .cpuNanoseconds: "cpu_ns"
    case .items: "items"
    case .networkBytesIn: "network_bytes_in"
    case .networkBytesOut: "network_bytes_out"
    case .diskBytesRead: "disk_bytes_read"
    case .diskBytesWritten: "disk_bytes_written"
    case .gpuMicroseconds: "gpu_us"
    case .inputTokens: "input_tokens"
    case .outputTokens: "output_tokens"
    }
  }
}
