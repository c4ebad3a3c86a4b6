/// How a database is opened. Plain values; the defaults suit one of a few databases in a process that shares two cores.
package struct DatabaseOptions: Sendable {
  /// The first one must be `default`, as RocksDB wants it.
  package var columnFamilies: [ColumnFamily]
  /// Uncompressed blocks, indexes and filters; shared by every database that is given the same one.
  package var blockCache: BlockCache?
  package var maxOpenFiles: Int32 = 256
  /// Threads for flushes and compactions, shared by the databases of the process.
  package var backgroundThreads: Int32 = 2
  /// Above it the oldest column family is flushed, so that a log can be deleted.
  package var maxLogBytes: UInt64 = 128 << 20
  /// How much written data the kernel may hold back before it is asked to write: it spares the sync at the end.
  package var bytesPerSync: UInt64 = 1 << 20
  package var createsIfMissing = true
  /// Refuses writes before the disk is full; nil looks at nothing.
  package var reserve: DiskReserve?

  package init(columnFamilies: [ColumnFamily] = [ColumnFamily("default")]) { self.columnFamilies = columnFamilies }
}

/// One keyspace of a database, with its own memory table and files. A batch spans all of them.
package struct ColumnFamily: Sendable {
  package enum Compression: Sendable { case none, lz4, zstd }

  /// What tells, without reading a block, that a key is not in a file. Bits are per key.
  package enum Filter: Sendable {
    case none
    case bloom(bits: Double)
    /// 30 % smaller than a bloom filter of the same precision, and dearer to build.
    case ribbon(bits: Double)
  }

  package var name: String
  package var writeBufferBytes = 32 << 20
  package var maxWriteBuffers: Int32 = 3
  package var blockBytes = 8 << 10
  package var filter = Filter.ribbon(bits: 10)
  package var compression = Compression.lz4
  /// Of the last level, where most of the data is.
  package var coldCompression = Compression.zstd
  /// The length of every key, where all have the same: then memory tables have a filter too, and looking for a key that
  /// is not there costs next to nothing. Iterators over more than one key are not for such a family.
  package var fixedKeyBytes: Int?
  /// Drops what is older than a horizon when files are compacted.
  package var expiry: Expiry?

  package init(_ name: String) { self.name = name }
}
