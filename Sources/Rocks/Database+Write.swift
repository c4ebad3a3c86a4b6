internal import CRocksDB
package import Core

extension Database {
  /// Writes all of a batch or nothing of it.
  ///
  /// - Parameter sync: returns only when the log is on the disk.
  /// - Throws: `STATE_DISK_FULL` with `sameCall` when nothing was tried; any other error is of unknown outcome and ends
  ///   writing: open the database again and read what is there.
  package func write(_ batch: consuming WriteBatch, sync: Bool) throws(HeadraceError) {
    if let failedWrite { throw failedWrite }
    // Twice: into the log now, into a file when the memory table is flushed.
    let size = batch.sizeBytes
    try options.reserve?.admit(
      bytes: Int64(clamping: size.multipliedReportingOverflow(by: 2).partialValue), place: path)
    var error = ErrorSlot()
    unsafe rocksdb_write(handle, writes(synced: sync), batch.handle, &error.message)
    do {
      try error.check(isWrite: true, place: path)
    } catch {
      noteFailedWrite(error)
      throw error
    }
  }

  /// Writes the memory tables to files.
  package func flush() throws(HeadraceError) {
    try enter()
    defer { leave() }
    let flushOptions = unsafe rocksdb_flushoptions_create()
    defer { unsafe rocksdb_flushoptions_destroy(flushOptions) }
    for family in options.columnFamilies.indices {
      var error = ErrorSlot()
      unsafe rocksdb_flush_cf(handle, flushOptions, handle(of: family), &error.message)
      try error.check(isWrite: true, place: path)
    }
  }

  /// Begins to write those memory tables to files that are as full as they may be, and does not wait for it.
  ///
  /// A batch goes into one memory table as a whole, however large it is, and the library looks at the table's size when
  /// the next batch comes: until then the table would stay in memory.
  package func flushFullMemoryTables() throws(HeadraceError) {
    try enter()
    defer { leave() }
    for (index, family) in options.columnFamilies.enumerated()
    // The library counts a table as full a little early, and does not count on from there.
    where number("rocksdb.cur-size-active-mem-table", index) >= UInt64(clamping: family.writeBufferBytes / 8 * 7) {
      let flushOptions = unsafe rocksdb_flushoptions_create()
      defer { unsafe rocksdb_flushoptions_destroy(flushOptions) }
      unsafe rocksdb_flushoptions_set_wait(flushOptions, 0)
      var error = ErrorSlot()
      unsafe rocksdb_flush_cf(handle, flushOptions, handle(of: index), &error.message)
      try error.check(isWrite: true, place: path)
    }
  }

  /// Deletes the files that hold nothing but keys from `start` on below `end`: space comes back at once. What other
  /// files hold of the range stays, so that a `deleteRange` must have been written before.
  package func deleteFiles(from start: [UInt8], to end: [UInt8], in family: Int = 0) throws(HeadraceError) {
    try enter()
    defer { leave() }
    var error = ErrorSlot()
    unsafe Self.withRange(start, end) { start, startCount, end, endCount in
      unsafe rocksdb_delete_file_in_range_cf(
        handle, handle(of: family), start, startCount, end, endCount, &error.message)
    }
    try error.check(isWrite: false, place: path)
  }

  /// Rewrites a range without what was deleted or expired; long.
  package func compact(from start: [UInt8], to end: [UInt8], in family: Int = 0) throws(HeadraceError) {
    try enter()
    defer { leave() }
    unsafe Self.withRange(start, end) { start, startCount, end, endCount in
      unsafe rocksdb_compact_range_cf(handle, handle(of: family), start, startCount, end, endCount)
    }
  }

  static func withRange<Result>(
    _ start: [UInt8], _ end: [UInt8], _ body: (UnsafePointer<CChar>, Int, UnsafePointer<CChar>, Int) -> Result
  ) -> Result {
    unsafe start.withUnsafeBytes { start in
      unsafe end.withUnsafeBytes { end in
        unsafe body(
          start.baseAddress?.assumingMemoryBound(to: CChar.self) ?? empty, start.count,
          end.baseAddress?.assumingMemoryBound(to: CChar.self) ?? empty, end.count)
      }
    }
  }
}
