internal import CRocksDB
package import Core

/// Changes that become visible, and survive, together. One thread fills it and hands it to `Database.write`.
@safe
package struct WriteBatch: ~Copyable {
  let handle: OpaquePointer
  private let database: Database

  /// - Parameter database: whose column families are written to. It is not shut down while the batch is there.
  /// - Throws: `STATE_CLOSED`.
  package init(for database: Database) throws(HeadraceError) {
    try database.enter()
    unsafe handle = rocksdb_writebatch_create()
    self.database = database
  }

  deinit {
    unsafe rocksdb_writebatch_destroy(handle)
    database.leave()
  }

  /// Changes in it.
  package var count: Int { Int(unsafe rocksdb_writebatch_count(handle)) }

  /// Bytes that it will add to the log.
  package var sizeBytes: Int {
    var size = 0
    _ = unsafe rocksdb_writebatch_data(handle, &size)
    return size
  }

  package mutating func put(_ key: RawSpan, _ value: RawSpan, in family: Int = 0) {
    unsafe key.withUnsafeBytes { key in
      unsafe value.withUnsafeBytes { value in
        unsafe rocksdb_writebatch_put_cf(
          handle, database.handle(of: family), Self.address(key), key.count, Self.address(value), value.count)
      }
    }
  }

  package mutating func put(_ key: [UInt8], _ value: [UInt8], in family: Int = 0) {
    unsafe put(key.span.bytes, value.span.bytes, in: family)
  }

  package mutating func delete(_ key: RawSpan, in family: Int = 0) {
    unsafe key.withUnsafeBytes { key in
      unsafe rocksdb_writebatch_delete_cf(handle, database.handle(of: family), Self.address(key), key.count)
    }
  }

  package mutating func delete(_ key: [UInt8], in family: Int = 0) { unsafe delete(key.span.bytes, in: family) }

  /// Deletes every key from `start` on that is below `end`, in constant time.
  package mutating func deleteRange(from start: [UInt8], to end: [UInt8], in family: Int = 0) {
    unsafe start.withUnsafeBytes { start in
      unsafe end.withUnsafeBytes { end in
        unsafe rocksdb_writebatch_delete_range_cf(
          handle, database.handle(of: family), Self.address(start), start.count, Self.address(end), end.count)
      }
    }
  }

  private static func address(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<CChar> {
    unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) ?? Database.empty
  }
}
