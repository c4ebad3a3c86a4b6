internal import CRocksDB
package import Core

/// What a database takes and does, for metrics.
package struct DatabaseStatistics: Sendable, Equatable {
  /// An estimate: overwritten and deleted keys count until they are compacted.
  package var keys: UInt64 = 0
  package var fileBytes: UInt64 = 0
  package var memoryTableBytes: UInt64 = 0
  package var pendingCompactionBytes: UInt64 = 0
  package var runningCompactions: UInt64 = 0
  /// Flushes and compactions that failed since it was opened.
  package var backgroundErrors: UInt64 = 0
  /// Writes wait for compactions.
  package var isWriteStopped = false
}

extension Database {
  package func statistics() throws(HeadraceError) -> DatabaseStatistics {
    try enter()
    defer { leave() }
    var statistics = DatabaseStatistics()
    for family in options.columnFamilies.indices {
      statistics.keys += number("rocksdb.estimate-num-keys", family)
      statistics.fileBytes += number("rocksdb.total-sst-files-size", family)
      statistics.memoryTableBytes += number("rocksdb.cur-size-all-mem-tables", family)
      statistics.pendingCompactionBytes += number("rocksdb.estimate-pending-compaction-bytes", family)
    }
    statistics.runningCompactions = number("rocksdb.num-running-compactions", 0)
    statistics.backgroundErrors = number("rocksdb.background-errors", 0)
    statistics.isWriteStopped = number("rocksdb.is-write-stopped", 0) != 0
    return statistics
  }

  /// Memory tables of all families, those that are being written to files included; 0 once the database is closed.
  package var memoryTableBytes: Int {
    guard (try? enter()) != nil else { return 0 }
    defer { leave() }
    return options.columnFamilies.indices.reduce(0) {
      $0 &+ Int(clamping: number("rocksdb.cur-size-all-mem-tables", $1))
    }
  }

  /// A property of the library as text (`rocksdb.stats`), nil if it has none of that name.
  package func property(_ name: String, in family: Int = 0) throws(HeadraceError) -> String? {
    try enter()
    defer { leave() }
    guard let text = unsafe rocksdb_property_value_cf(handle, handle(of: family), name) else { return nil }
    defer { unsafe rocksdb_free(text) }
    return unsafe String(cString: text)
  }

  /// About how many bytes on the disk a range of keys takes.
  package func approximateBytes(
    from start: [UInt8], to end: [UInt8], in family: Int = 0
  ) throws(HeadraceError) -> UInt64 {
    try enter()
    defer { leave() }
    var size: UInt64 = 0
    var error = ErrorSlot()
    unsafe Self.withRange(start, end) { start, startCount, end, endCount in
      var startPointer: UnsafePointer<CChar>? = unsafe start
      var endPointer: UnsafePointer<CChar>? = unsafe end
      var startSize = startCount
      var endSize = endCount
      unsafe rocksdb_approximate_sizes_cf(
        handle, handle(of: family), 1, &startPointer, &startSize, &endPointer, &endSize, &size, &error.message)
    }
    try error.check(place: path)
    return size
  }

  func number(_ name: String, _ family: Int) -> UInt64 {
    var value: UInt64 = 0
    guard unsafe rocksdb_property_int_cf(handle, handle(of: family), name, &value) == 0 else { return 0 }
    return value
  }
}
