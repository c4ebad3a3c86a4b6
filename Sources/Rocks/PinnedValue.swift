internal import CRocksDB

/// A value where the library has it, in its cache or in its memory table: not copied. It keeps that memory.
@safe
package struct PinnedValue: ~Copyable {
  private let slice: OpaquePointer
  private let database: Database

  /// - Precondition: the caller has entered `database`; the value leaves for it.
  init(_ slice: OpaquePointer, of database: Database) {
    unsafe self.slice = unsafe slice
    self.database = database
  }

  deinit {
    unsafe rocksdb_pinnableslice_destroy(slice)
    database.leave()
  }

  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      var count = 0
      let start = unsafe rocksdb_pinnableslice_value(slice, &count)
      let buffer = unsafe UnsafeRawBufferPointer(start: start, count: count)
      return unsafe _overrideLifetime(RawSpan(_unsafeBytes: buffer), borrowing: self)
    }
  }

  /// A copy.
  package var array: [UInt8] {
    var count = 0
    let start = unsafe rocksdb_pinnableslice_value(slice, &count)
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
  }
}
