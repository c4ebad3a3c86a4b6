package import Core

/// How a `Producer` writes. The defaults lose nothing and duplicate nothing within one instance's life.
package struct ProducerConfiguration: Sendable {
  package var client: ClientConfiguration
  /// Every record is stored once and in order, whatever is retried (KIP-98). Implies `acknowledgements == .all`.
  package var isIdempotent = true
  package var acknowledgements: Acknowledgements = .all
  package var compression: Compression = .none
  package var compressionLevel: Int32?
  /// How long a record may wait for others to share its batch, in milliseconds.
  package var lingerMilliseconds: Int32 = 5
  /// The most bytes of one batch before compression.
  package var batchBytesMaximum: Int32 = 1 << 20
  /// The most records of one batch.
  package var batchRecordsMaximum: Int32 = 10_000
  /// The largest record, in bytes with overhead.
  package var recordBytesMaximum: Int32 = 1_000_000
  /// A record that is not acknowledged within this time is reported as lost, in milliseconds.
  package var deliveryTimeoutMilliseconds: Int32 = 120_000
  /// The most records that wait in memory; `send` blocks beyond it.
  package var queueRecordsMaximum: Int32 = 500_000
  /// The most KiB that wait in memory.
  package var queueKibibytesMaximum: Int32 = 262_144
  /// Places records that name no partition. Records without key go to a random one.
  package var partitioner: Partitioner = .murmur2

  package init(client: ClientConfiguration) { self.client = client }

  package enum Acknowledgements: Sendable { case none, leader, all }

  package enum Compression: String, Sendable, CaseIterable { case none, gzip, snappy, lz4, zstd }
}

/// How a `TransactionalProducer` writes.
package struct TransactionConfiguration: Sendable {
  /// Stable over restarts of one worker, and of one worker alone: it is what fences the worker's former life.
  package var transactionalID: String
  /// The coordinator aborts a transaction that is open for longer, in milliseconds.
  package var timeoutMilliseconds: Int32 = 10_000

  package init(transactionalID: String) { self.transactionalID = transactionalID }
}
